// sprig's functions of semantic versions, and the versions' methods.
#include "expr/arguments.h"
#include "expr/go_json.h"
#include "expr/go_methods.h"
#include "expr/go_text.h"
#include "expr/semver.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

Value semver(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  TIPHYS_TRY(const Version version, parse_version(text));
  return make_go_value(GoKind::kVersionPointer, doc::Value(version.original));
}

Value semver_compare(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto version_text, text_or_empty(arguments, 1));
  TIPHYS_TRY(const auto constraints, VersionConstraints::parse(text));
  TIPHYS_TRY(const Version version, parse_version(version_text));
  return doc::Value(constraints.hold_for(version));
}

// Methods.

/// Of a value that is one of the two kinds.
Version version_of(const doc::Value& value) {
  const doc::Value* pointed = go_content(value, GoKind::kVersionPointer);
  const doc::Value& original = pointed ? *pointed : *go_content(value, GoKind::kVersion);
  return parse_version(original.get_string()).value();
}

template <auto Version::* part>
Value part_of(const doc::Value& value, Arguments) {
  return doc::Value(version_of(value).*part);
}

Value text(const doc::Value& value, Arguments) {
  return doc::Value(version_of(value).text());
}
Value marshal_text(const doc::Value& value, Arguments) {
  return make_go_value(GoKind::kBytes, doc::Value(version_of(value).text()));
}
Value marshal_json(const doc::Value& value, Arguments) {
  std::string json;
  append_go_json_string(version_of(value).text(), true, json);
  return make_go_value(GoKind::kBytes, doc::Value(json));
}

template <Result<Version> (*next)(const Version&)>
Value increment(const doc::Value& value, Arguments) {
  TIPHYS_TRY(const Version version, next(version_of(value)));
  return make_go_value(GoKind::kVersion, doc::Value(version.original));
}

template <Result<Version> (*with)(Version, std::string_view)>
Value replace_part(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const auto part, text_or_empty(arguments, 0));
  TIPHYS_TRY(const Version version, with(version_of(value), part));
  return make_go_value(GoKind::kVersion, doc::Value(version.original));
}

Result<int> compare_to(const doc::Value& value, Arguments arguments) {
  const doc::Value& other = *arguments[0];
  if (other.is_null()) return bad_argument("invalid memory address or nil pointer dereference");
  if (!go_content(other, GoKind::kVersionPointer)) {
    return bad_argument("cannot use " + std::string(go_type(other)) + " as argument (type *semver.Version)");
  }
  return compare(version_of(value), version_of(other));
}

Value compared(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const int order, compare_to(value, arguments));
  return doc::Value(std::int64_t{order});
}

template <int least, int most>
Value is_ordered(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const int order, compare_to(value, arguments));
  return doc::Value(order >= least && order <= most);
}

Value equal(const doc::Value& value, Arguments arguments) {
  if (arguments[0]->is_null()) return doc::Value(false);
  return is_ordered<0, 0>(value, arguments);
}

constexpr Function kFunctions[] = {
    {"semver", 1, 1, semver},
    {"semverCompare", 2, 2, semver_compare},
};

constexpr Method kMethods[] = {
    {GoKind::kVersionPointer, StaticKind::kUnknown, "Major", 0, part_of<&Version::major>},
    {GoKind::kVersionPointer, StaticKind::kUnknown, "Minor", 0, part_of<&Version::minor>},
    {GoKind::kVersionPointer, StaticKind::kUnknown, "Patch", 0, part_of<&Version::patch>},
    {GoKind::kVersionPointer, StaticKind::kString, "Prerelease", 0, part_of<&Version::prerelease>},
    {GoKind::kVersionPointer, StaticKind::kString, "Metadata", 0, part_of<&Version::metadata>},
    {GoKind::kVersionPointer, StaticKind::kString, "Original", 0, part_of<&Version::original>},
    {GoKind::kVersionPointer, StaticKind::kString, "String", 0, text},
    {GoKind::kVersionPointer, StaticKind::kUnknown, "Value", 0, text},
    {GoKind::kVersionPointer, StaticKind::kBytes, "MarshalText", 0, marshal_text},
    {GoKind::kVersionPointer, StaticKind::kBytes, "MarshalJSON", 0, marshal_json},
    {GoKind::kVersionPointer, StaticKind::kVersion, "IncMajor", 0, increment<next_major>},
    {GoKind::kVersionPointer, StaticKind::kVersion, "IncMinor", 0, increment<next_minor>},
    {GoKind::kVersionPointer, StaticKind::kVersion, "IncPatch", 0, increment<next_patch>},
    {GoKind::kVersionPointer, StaticKind::kVersion, "SetPrerelease", 1, replace_part<with_prerelease>},
    {GoKind::kVersionPointer, StaticKind::kVersion, "SetMetadata", 1, replace_part<with_metadata>},
    {GoKind::kVersionPointer, StaticKind::kInt, "Compare", 1, compared},
    {GoKind::kVersionPointer, StaticKind::kBool, "Equal", 1, equal},
    {GoKind::kVersionPointer, StaticKind::kBool, "LessThan", 1, is_ordered<-1, -1>},
    {GoKind::kVersionPointer, StaticKind::kBool, "LessThanEqual", 1, is_ordered<-1, 0>},
    {GoKind::kVersionPointer, StaticKind::kBool, "GreaterThan", 1, is_ordered<1, 1>},
    {GoKind::kVersionPointer, StaticKind::kBool, "GreaterThanEqual", 1, is_ordered<0, 1>},
    // Of what is no pointer Go calls only these.
    {GoKind::kVersion, StaticKind::kUnknown, "Major", 0, part_of<&Version::major>},
    {GoKind::kVersion, StaticKind::kUnknown, "Minor", 0, part_of<&Version::minor>},
    {GoKind::kVersion, StaticKind::kUnknown, "Patch", 0, part_of<&Version::patch>},
    {GoKind::kVersion, StaticKind::kString, "Prerelease", 0, part_of<&Version::prerelease>},
    {GoKind::kVersion, StaticKind::kString, "Metadata", 0, part_of<&Version::metadata>},
    {GoKind::kVersion, StaticKind::kString, "String", 0, text},
    {GoKind::kVersion, StaticKind::kUnknown, "Value", 0, text},
    {GoKind::kVersion, StaticKind::kBytes, "MarshalText", 0, marshal_text},
    {GoKind::kVersion, StaticKind::kBytes, "MarshalJSON", 0, marshal_json},
    {GoKind::kVersion, StaticKind::kVersion, "IncMajor", 0, increment<next_major>},
    {GoKind::kVersion, StaticKind::kVersion, "IncMinor", 0, increment<next_minor>},
    {GoKind::kVersion, StaticKind::kVersion, "IncPatch", 0, increment<next_patch>},
    {GoKind::kVersion, StaticKind::kVersion, "SetPrerelease", 1, replace_part<with_prerelease>},
    {GoKind::kVersion, StaticKind::kVersion, "SetMetadata", 1, replace_part<with_metadata>},
};

}  // namespace

std::span<const Function> sprig_version_functions() {
  return kFunctions;
}

std::span<const Method> version_methods() {
  return kMethods;
}

}  // namespace tiphys::expr

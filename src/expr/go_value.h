// Values of expressions whose Go types JSON has not: times, durations, bytes and the like.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "doc/value.h"
#include "expr/go_time.h"
#include "expr/static_type.h"

namespace tiphys::expr {

enum class GoKind : unsigned char {
  kTime,
  kDuration,
  kBytes,
  kLocation,
  kMonth,
  kWeekday,
  kVersion,         ///< semver.Version
  kVersionPointer,  ///< *semver.Version
  kStringMap,       ///< map[string]string, in which a key that is not there gives ""
};

/// Such a value is an object of one member whose name is no UTF-8, so that no JSON or YAML text holds one. Its content
/// is a number for durations, months and weekdays, a string for bytes and versions (as they were
/// written), an object for maps. The result
/// of an expression may hold them; go_text and append_go_json write them as Go does.
doc::Value make_go_value(GoKind kind, doc::Value content);
doc::Value make_go_value(const GoTime& time);
doc::Value make_go_value(Duration duration);
doc::Value make_go_value(const GoZone& zone);

/// The kind of a value that is one of these.
std::optional<GoKind> go_kind(const doc::Value& value);
/// The content; nullptr for every other value.
const doc::Value* go_content(const doc::Value& value, GoKind kind);

std::optional<GoTime> go_time(const doc::Value& value);
std::optional<Duration> go_duration(const doc::Value& value);
std::optional<GoZone> go_zone(const doc::Value& value);
std::optional<std::string_view> go_bytes(const doc::Value& value);
const doc::Object* go_string_map(const doc::Value& value);
/// Bytes as the array that they are in Go; every other value as it is.
doc::Value bytes_as_array(doc::Value value);

/// "time.Time", "[]uint8": the type's name.
std::string_view go_kind_name(GoKind kind);
/// As %v writes it.
std::string go_value_text(const doc::Value& value);
/// What encoding/json makes of it: a string, a number or an empty object.
doc::Value go_value_plain(const doc::Value& value);

StaticKind static_kind(GoKind kind);

/// The type of a method's result; nullopt when there is no such method.
std::optional<StaticKind> method_result(StaticKind kind, std::string_view name);

/// value.name(arguments).
Result<doc::Value> call_method(const doc::Value& value, std::string_view name,
                               std::span<const doc::Value* const> arguments);

}  // namespace tiphys::expr

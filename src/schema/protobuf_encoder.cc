#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <span>
#include <vector>

#include "base/encoding.h"
#include "base/protobuf_wire.h"
#include "base/time.h"
#include "schema/protobuf.h"
#include "schema/rules.h"

namespace tiphys::schema {
namespace {

using Form = Type::Form;
using Wire = Type::Wire;

/// As deep as JSON may be, and what is in line.
constexpr int kDeepest = 128;

std::unexpected<Error> misfit_of(std::string_view wanted, const doc::Value& value) {
  std::string text = doc::to_json(value);
  if (text.size() > 100) text = text.substr(0, 100) + "...";
  return fail(Code::kInvalidArgument, fmt::format("{} is expected, not {}", wanted, text));
}

/// Two's complement.
Result<std::uint64_t> integer_of(const doc::Value& value) {
  if (value.is_int64()) return static_cast<std::uint64_t>(value.get_int64());
  if (value.is_uint64()) return value.get_uint64();
  if (const double* number = value.if_double()) {
    if (std::abs(*number) < 9e18 && std::floor(*number) == *number) {
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(*number));
    }
  }
  if (const auto* text = value.if_string()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error == std::errc() && end == text->data() + text->size()) return static_cast<std::uint64_t>(number);
  }
  return misfit_of("an integer", value);
}

Result<double> number_of(const doc::Value& value) {
  if (value.is_number()) return value.to_number<double>();
  return misfit_of("a number", value);
}

Result<std::uint64_t> choice_of(const Type& type, const doc::Value& value) {
  const auto& choices = type.rules->choices;
  if (const auto found = std::ranges::find(choices, value); found != choices.end()) {
    return static_cast<std::uint64_t>(found - choices.begin());
  }
  if (value.is_number()) {
    TIPHYS_TRY(const std::uint64_t number, integer_of(value));
    if (number < choices.size()) return number;
  }
  return misfit_of(fmt::format("one of {}", doc::to_json(doc::Array(choices.begin(), choices.end()))), value);
}

Result<std::string> text_of(const doc::Value& value) {
  if (value.is_array() || value.is_object()) return misfit_of("a string", value);
  return doc::scalar_text(value);
}

/// A member and where it goes.
struct Member {
  const Field* field;
  const doc::Value* value;
};

class Encoder {
 public:
  Result<std::string> message(const Type& type, const doc::Value& value, int depth) {
    if (depth > kDeepest) return fail(Code::kInvalidArgument, "it is too deep");
    std::string out;
    if (value.is_null() && type.wire != Wire::kJson && type.wire != Wire::kNestedJson) return out;
    WireWriter writer(out);
    switch (type.wire) {
      case Wire::kMembers:
        TIPHYS_CHECK_OK(members(type, value, writer, depth));
        break;
      case Wire::kTime:
      case Wire::kMicroTime:
        TIPHYS_CHECK_OK(time(value, type.wire == Wire::kMicroTime, writer));
        break;
      case Wire::kText:
      case Wire::kNumberText: {
        TIPHYS_TRY(const std::string text, text_of(value));
        writer.bytes(1, text);
        break;
      }
      case Wire::kIntOrString:
        TIPHYS_CHECK_OK(int_or_string(value, writer));
        break;
      case Wire::kJson:
        writer.bytes(1, doc::to_json(value));
        break;
      case Wire::kNestedJson: {
        std::string inner;
        WireWriter(inner).bytes(1, doc::to_json(value));
        writer.bytes(1, inner);
        break;
      }
      case Wire::kElements:
        TIPHYS_CHECK_OK(elements(*type.element, 1, value, writer, depth));
        break;
      case Wire::kSchemaOrList:
      case Wire::kSchemaOrBool:
      case Wire::kSchemaOrStrings:
        return fail(Code::kUnimplemented, "schemas of CustomResourceDefinitions are not written as protobuf");
    }
    return out;
  }

 private:
  Status members(const Type& type, const doc::Value& value, WireWriter& writer, int depth) {
    if (!value.is_object()) return misfit_of("an object", value);
    std::vector<Member> found;
    for (const auto& [name, member] : value.get_object()) {
      const Field* field = type.find(name);
      if (field && !field->number.empty() && !member.is_null()) found.push_back({field, &member});
    }
    std::ranges::stable_sort(found, [](const Member& a, const Member& b) {
      return std::ranges::lexicographical_compare(a.field->number, b.field->number);
    });
    return place(found, 0, writer, depth);
  }

  /// What is in line, `level` numbers deep, goes into messages of its own.
  Status place(std::span<const Member> members, std::size_t level, WireWriter& writer, int depth) {
    while (!members.empty()) {
      const auto& number = members.front().field->number;
      if (number.size() == level + 1) {
        const auto written = field(*members.front().field, *members.front().value, writer, depth);
        if (!written) return std::unexpected(written.error().in(members.front().field->name));
        members = members.subspan(1);
        continue;
      }
      const auto end = std::ranges::find_if(
          members, [&](const Member& member) { return member.field->number[level] != number[level]; });
      const auto count = static_cast<std::size_t>(end - members.begin());
      std::string inner;
      WireWriter inside(inner);
      TIPHYS_CHECK_OK(place(members.first(count), level + 1, inside, depth));
      writer.bytes(number[level], inner);
      members = members.subspan(count);
    }
    return {};
  }

  Status field(const Field& field, const doc::Value& value, WireWriter& writer, int depth) {
    const Type& type = *field.type;
    const std::uint32_t number = field.number.back();
    if (type.wire == Wire::kMembers && type.form == Form::kList) {
      return elements(*type.element, number, value, writer, depth);
    }
    if (type.wire == Wire::kMembers && type.form == Form::kMap) return entries(type, number, value, writer, depth);
    return single(type, number, value, writer, depth);
  }

  Status elements(const Type& element, std::uint32_t number, const doc::Value& value, WireWriter& writer, int depth) {
    if (!value.is_array()) return misfit_of("a list", value);
    std::size_t i = 0;
    for (const doc::Value& one : value.get_array()) {
      if (auto written = single(element, number, one, writer, depth); !written) {
        return std::unexpected(written.error().in(fmt::format("[{}]", i)));
      }
      ++i;
    }
    return {};
  }

  Status entries(const Type& map, std::uint32_t number, const doc::Value& value, WireWriter& writer, int depth) {
    if (!value.is_object()) return misfit_of("an object", value);
    for (const auto& [key, one] : value.get_object()) {
      std::string entry;
      WireWriter inside(entry);
      inside.bytes(1, key);
      const Type& element = *map.element;
      Status written;
      if (element.wire == Wire::kMembers && element.form == Form::kList) {
        // A map of lists is a map of messages around lists.
        std::string list;
        WireWriter around(list);
        written = elements(*element.element, 1, one, around, depth);
        inside.bytes(2, list);
      } else {
        written = single(element, 2, one, inside, depth);
      }
      if (!written) return std::unexpected(written.error().in(key));
      writer.bytes(number, entry);
    }
    return {};
  }

  /// A null is zero: elsewhere than in a list or a map it is left out before.
  Status single(const Type& type, std::uint32_t number, const doc::Value& value, WireWriter& writer, int depth) {
    if (type.wire == Wire::kMembers) {
      switch (type.form) {
        case Form::kBoolean:
          if (!value.is_bool() && !value.is_null()) return misfit_of("true or false", value);
          writer.varint(number, value.is_bool() && value.get_bool() ? 1 : 0);
          return {};
        case Form::kInteger: {
          TIPHYS_TRY(const std::uint64_t integer, value.is_null() ? 0 : integer_of(value));
          writer.varint(number, integer);
          return {};
        }
        case Form::kNumber: {
          TIPHYS_TRY(const double real, value.is_null() ? 0.0 : number_of(value));
          writer.fixed64(number, std::bit_cast<std::uint64_t>(real));
          return {};
        }
        case Form::kString:
          return string(type, number, value, writer);
        default:
          break;
      }
    }
    TIPHYS_TRY(const std::string inner, message(type, value, depth + 1));
    writer.bytes(number, inner);
    return {};
  }

  static Status string(const Type& type, std::uint32_t number, const doc::Value& value, WireWriter& writer) {
    if (type.format == "enum") {
      TIPHYS_TRY(const std::uint64_t choice, value.is_null() ? 0 : choice_of(type, value));
      writer.varint(number, choice);
      return {};
    }
    TIPHYS_TRY(std::string text, value.is_null() ? std::string() : text_of(value));
    if (type.format == "byte") {
      TIPHYS_TRY(text, decode_base64(text));
    }
    writer.bytes(number, text);
    return {};
  }

  static Status time(const doc::Value& value, bool micro, WireWriter& writer) {
    if (!value.is_string()) return misfit_of("a time", value);
    if (value.get_string().empty()) return {};
    TIPHYS_TRY(const Time at, parse_rfc3339(value.get_string()));
    const auto since = at.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const std::chrono::nanoseconds rest = since - seconds;
    writer.varint(1, static_cast<std::uint64_t>(seconds.count()));
    // Kubernetes' Time has whole seconds.
    if (micro) writer.varint(2, static_cast<std::uint64_t>(rest.count()));
    return {};
  }

  static Status int_or_string(const doc::Value& value, WireWriter& writer) {
    if (value.is_string()) {
      writer.varint(1, 1);
      writer.bytes(3, value.get_string());
      return {};
    }
    TIPHYS_TRY(const std::uint64_t integer, integer_of(value));
    writer.varint(1, 0);
    writer.varint(2, integer);
    return {};
  }
};

}  // namespace

Result<std::string> encode_message(const Type& type, const doc::Value& document) {
  return Encoder().message(type, document, 0);
}

}  // namespace tiphys::schema

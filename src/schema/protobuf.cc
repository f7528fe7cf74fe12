#include "schema/protobuf.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <vector>

#include "base/encoding.h"
#include "base/protobuf_wire.h"
#include "base/time.h"
#include "doc/utf8.h"
#include "schema/kubernetes.h"
#include "schema/rules.h"

namespace tiphys::schema {
namespace {

constexpr std::string_view kMagic{"k8s\0", 4};
constexpr int kDeepest = 64;
/// What nanoseconds can count.
constexpr std::int64_t kMostSeconds = 9'200'000'000;

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Code::kInvalidArgument, fmt::format("the protobuf body cannot be read: {}", why));
}

/// The fields of a small message by number: numbers and bytes, the last of each.
struct Fields {
  std::uint64_t numbers[4] = {};
  std::string_view bytes[4] = {};

  static Result<Fields> read(std::string_view message) {
    Fields fields;
    WireReader reader(message);
    while (true) {
      TIPHYS_TRY(const auto field, reader.next());
      if (!field) return fields;
      if (field->number >= 4) continue;
      if (field->is_bytes) {
        fields.bytes[field->number] = field->bytes;
      } else {
        fields.numbers[field->number] = field->value;
      }
    }
  }
};

Result<doc::Value> decode_time(std::string_view message, bool micro) {
  TIPHYS_TRY(const Fields fields, Fields::read(message));
  const auto seconds = static_cast<std::int64_t>(fields.numbers[1]);
  const auto nanoseconds = static_cast<std::int32_t>(fields.numbers[2]);
  if (seconds == 0 && nanoseconds == 0) return doc::Value();  // Go: a time that is not set
  if (seconds < -kMostSeconds || seconds > kMostSeconds) return malformed("a time is beyond the year 2261");
  const Time at{std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds)};
  return doc::Value(micro ? format_rfc3339_micro(at) : format_rfc3339(at));
}

Result<doc::Value> text_of(std::string_view bytes) {
  if (!doc::is_utf8(bytes)) return malformed("a text is not UTF-8");
  return doc::Value(bytes);
}

class Decoder {
 public:
  Result<doc::Value> message(const Type& type, std::string_view bytes, int depth) {
    using Wire = Type::Wire;
    if (depth > kDeepest) return malformed("it is too deep");
    switch (type.wire) {
      case Wire::kMembers:
        return object(type, bytes, depth);
      case Wire::kTime:
        return decode_time(bytes, false);
      case Wire::kMicroTime:
        return decode_time(bytes, true);
      case Wire::kText:
        return text_in(bytes);
      case Wire::kNumberText:
        return number_in(bytes);
      case Wire::kIntOrString:
        return int_or_string(bytes);
      case Wire::kJson:
        return json_in(bytes);
      case Wire::kNestedJson:
        return nested_json_in(bytes);
      case Wire::kElements:
        return listed(type, bytes, depth);
      case Wire::kSchemaOrList:
        return schema_or(bytes, depth, false);
      case Wire::kSchemaOrBool:
        return schema_or_bool(bytes, depth);
      case Wire::kSchemaOrStrings:
        return schema_or(bytes, depth, true);
    }
    return malformed("it has an unknown form");
  }

 private:
  using Number = std::vector<std::uint32_t>;

  Result<doc::Value> object(const Type& type, std::string_view bytes, int depth) {
    doc::Object object;
    if (!type.kind.empty()) object = {{"apiVersion", type.api_version}, {"kind", type.kind}};
    Number number;
    TIPHYS_CHECK_OK(members(type, number, bytes, object, depth));
    return object;
  }

  /// `outer`: where the message is whose members are in line.
  Status members(const Type& type, Number& outer, std::string_view bytes, doc::Object& object, int depth) {
    WireReader reader(bytes);
    while (true) {
      TIPHYS_TRY(const auto wire, reader.next());
      if (!wire) return {};
      outer.push_back(wire->number);
      if (const Field* field = type.find_number(outer)) {
        if (auto placed = place(*field, *wire, object, depth); !placed)
          return std::unexpected(placed.error().in(field->name));
      } else if (wire->is_bytes && type.has_in_line(outer)) {
        TIPHYS_CHECK_OK(members(type, outer, wire->bytes, object, depth));
      }
      outer.pop_back();
    }
  }

  Status place(const Field& field, const WireField& wire, doc::Object& object, int depth) {
    const Type& type = *field.type;
    if (type.wire == Type::Wire::kMembers) {
      if (type.form == Type::Form::kList) {
        doc::Value& list = object[field.name];
        return append(*type.element, wire, list.is_array() ? list.get_array() : list.emplace_array(), depth);
      }
      if (type.form == Type::Form::kMap) {
        return entry(*type.element, wire, doc::ensure_object(object, field.name), depth);
      }
    }
    TIPHYS_TRY(doc::Value value, value_of(type, wire, depth));
    if (is_zero(field, value)) return {};
    object[field.name] = std::move(value);
    return {};
  }

  /// Go's encoder writes the zero values of what is no pointer; JSON leaves them out.
  static bool is_zero(const Field& field, const doc::Value& value) {
    using Wire = Type::Wire;
    const Wire wire = field.type->wire;
    if (wire == Wire::kJson || wire == Wire::kNestedJson || wire == Wire::kSchemaOrBool) return false;
    if (value.is_null()) return true;
    if (field.pointer) return false;
    return (value.is_string() && value.get_string().empty()) || (value.is_bool() && !value.get_bool()) ||
           (value.is_int64() && value.get_int64() == 0) || (value.is_uint64() && value.get_uint64() == 0) ||
           (value.is_double() && value.get_double() == 0);
  }

  Status append(const Type& element, const WireField& wire, doc::Array& list, int depth) {
    const bool number = element.form == Type::Form::kInteger;
    if (number && wire.is_bytes) return append_packed(wire.bytes, list);
    TIPHYS_TRY(doc::Value value, value_of(element, wire, depth));
    list.push_back(std::move(value));
    return {};
  }

  static Status append_packed(std::string_view bytes, doc::Array& list) {
    WireReader reader(bytes);
    while (!reader.at_end()) {
      TIPHYS_TRY(const std::uint64_t value, reader.varint());
      list.emplace_back(static_cast<std::int64_t>(value));
    }
    return {};
  }

  Status entry(const Type& element, const WireField& wire, doc::Object& map, int depth) {
    if (!wire.is_bytes) return malformed("a map has no entries");
    doc::Value key("");
    WireField found{.is_bytes = has_bytes(element)};  // what is left out is zero
    WireReader reader(wire.bytes);
    while (true) {
      TIPHYS_TRY(const auto part, reader.next());
      if (!part) break;
      if (part->number == 2) found = *part;
      if (part->number != 1) continue;
      if (!part->is_bytes) return malformed("a map's key is no text");
      TIPHYS_TRY(key, text_of(part->bytes));
    }
    // A map of lists is a map of messages around lists.
    auto value = element.form == Type::Form::kList && element.wire == Type::Wire::kMembers
                     ? listed(element, found.bytes, depth)
                     : value_of(element, found, depth);
    if (!value) return std::unexpected(value.error().in(key.get_string()));
    map[key.get_string()] = std::move(*value);
    return {};
  }

  static bool has_bytes(const Type& type) {
    using Form = Type::Form;
    if (type.wire != Type::Wire::kMembers) return true;
    return type.form != Form::kBoolean && type.form != Form::kInteger && type.form != Form::kNumber &&
           type.format != "enum";
  }

  Result<doc::Value> listed(const Type& list, std::string_view message, int depth) {
    doc::Array items;
    WireReader reader(message);
    while (true) {
      TIPHYS_TRY(const auto item, reader.next());
      if (!item) return items;
      if (item->number == 1) TIPHYS_CHECK_OK(append(*list.element, *item, items, depth));
    }
  }

  Result<doc::Value> value_of(const Type& type, const WireField& wire, int depth) {
    if (wire.is_bytes != has_bytes(type)) {
      return malformed(!wire.is_bytes && type.form == Type::Form::kString ? "a string is expected"
                       : wire.is_bytes                                    ? "a number is expected"
                                                                          : "a message is expected");
    }
    if (type.wire != Type::Wire::kMembers) return message(type, wire.bytes, depth + 1);
    switch (type.form) {
      case Type::Form::kBoolean:
        return doc::Value(wire.value != 0);
      case Type::Form::kInteger:
        if (type.format == "uint64") return doc::Value(wire.value);
        return doc::Value(static_cast<std::int64_t>(wire.value));
      case Type::Form::kNumber:
        return finite(std::bit_cast<double>(wire.value));
      case Type::Form::kString:
        if (type.format == "enum") return choice(type, wire.value);
        if (type.format == "byte") return doc::Value(encode_base64(wire.bytes));
        return text_of(wire.bytes);
      default:
        return message(type, wire.bytes, depth + 1);
    }
  }

  /// JSON has no others.
  static Result<doc::Value> finite(double number) {
    if (!std::isfinite(number)) return malformed("a number is not finite");
    return doc::Value(number);
  }

  /// The first choice is what is meant when nothing is said.
  static Result<doc::Value> choice(const Type& type, std::uint64_t number) {
    if (number == 0) return doc::Value();
    const auto& choices = type.rules->choices;
    if (number >= choices.size()) return malformed(fmt::format("{} is none of its choices", number));
    return choices[number];
  }

  static Result<doc::Value> text_in(std::string_view bytes) {
    TIPHYS_TRY(const Fields fields, Fields::read(bytes));
    return text_of(fields.bytes[1]);
  }

  static Result<doc::Value> number_in(std::string_view bytes) {
    TIPHYS_TRY(const Fields fields, Fields::read(bytes));
    TIPHYS_TRY(doc::Value number, doc::parse_json(fields.bytes[1]));
    if (!number.is_number()) return malformed("a number is expected");
    return number;
  }

  static Result<doc::Value> json_in(std::string_view bytes) {
    TIPHYS_TRY(const Fields fields, Fields::read(bytes));
    return fields.bytes[1].empty() ? doc::Value() : doc::parse_json(fields.bytes[1]);
  }

  static Result<doc::Value> nested_json_in(std::string_view bytes) {
    TIPHYS_TRY(const Fields fields, Fields::read(bytes));
    return json_in(fields.bytes[1]);
  }

  static Result<doc::Value> int_or_string(std::string_view bytes) {
    TIPHYS_TRY(const Fields fields, Fields::read(bytes));
    if (fields.numbers[1] == 1) return text_of(fields.bytes[3]);
    return doc::Value(static_cast<std::int64_t>(fields.numbers[2]));
  }

  /// Either a schema in field 1 or a list of schemas or strings in field 2.
  Result<doc::Value> schema_or(std::string_view bytes, int depth, bool strings) {
    doc::Array list;
    WireReader reader(bytes);
    while (true) {
      TIPHYS_TRY(const auto field, reader.next());
      if (!field) return list;
      if (field->number == 1) return message(json_schema_props(), field->bytes, depth + 1);
      if (strings) {
        TIPHYS_TRY(doc::Value text, text_of(field->bytes));
        list.push_back(std::move(text));
      } else {
        TIPHYS_TRY(doc::Value one, message(json_schema_props(), field->bytes, depth + 1));
        list.push_back(std::move(one));
      }
    }
  }

  Result<doc::Value> schema_or_bool(std::string_view bytes, int depth) {
    TIPHYS_TRY(const Fields fields, Fields::read(bytes));
    if (!fields.bytes[2].empty()) return message(json_schema_props(), fields.bytes[2], depth + 1);
    return doc::Value(fields.numbers[1] != 0);
  }

  static const Type& json_schema_props() {
    static const Type& type = *kubernetes_type("apiextensions.k8s.io/v1", "JSONSchemaProps");
    return type;
  }
};

}  // namespace

Result<doc::Value> decode_message(const Type& type, std::string_view message) {
  return Decoder().message(type, message, 0);
}

Result<doc::Value> decode_protobuf(std::string_view body) {
  if (!body.starts_with(kMagic)) return malformed("it does not begin with k8s\\0");
  TIPHYS_TRY(const Fields envelope, Fields::read(body.substr(kMagic.size())));
  TIPHYS_TRY(const Fields meta, Fields::read(envelope.bytes[1]));
  const std::string_view api_version = meta.bytes[1], kind = meta.bytes[2];
  const Type* type = kubernetes_type(api_version, kind);
  if (!type) return malformed(fmt::format("{} of {} is no built-in kind; send it as JSON", kind, api_version));
  TIPHYS_TRY(doc::Value object, decode_message(*type, envelope.bytes[2]));
  object.as_object()["apiVersion"] = api_version;
  object.as_object()["kind"] = kind;
  return object;
}

}  // namespace tiphys::schema

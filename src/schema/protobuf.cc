#include "schema/protobuf.h"

#include <fmt/format.h>

#include <bit>

#include "base/encoding.h"
#include "base/time.h"
#include "schema/kubernetes.h"
#include "schema/wire.h"

namespace tiphys::schema {
namespace {

constexpr std::string_view kMagic{"k8s\0", 4};
constexpr int kDeepest = 64;

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
  if (message.empty()) return doc::Value();
  TIPHYS_TRY(const Fields fields, Fields::read(message));
  const Time at{std::chrono::seconds(static_cast<std::int64_t>(fields.numbers[1])) +
                std::chrono::nanoseconds(static_cast<std::int32_t>(fields.numbers[2]))};
  return doc::Value(micro ? format_rfc3339_micro(at) : format_rfc3339(at));
}

class Decoder {
 public:
  Result<doc::Value> message(const Type& type, std::string_view bytes, int depth) {
    if (depth > kDeepest) return malformed("it is too deep");
    const std::string_view name = type.name;
    if (name.ends_with(".Quantity")) return text_in(bytes);
    if (name.ends_with(".meta.v1.Time")) return decode_time(bytes, false);
    if (name.ends_with(".meta.v1.MicroTime")) return decode_time(bytes, true);
    if (name.ends_with(".IntOrString")) return int_or_string(bytes);
    if (name.ends_with(".RawExtension") || name.ends_with(".FieldsV1") || name.ends_with(".v1.JSON"))
      return json_in(bytes);
    if (name.ends_with(".JSONSchemaPropsOrArray")) return schema_or(bytes, depth, false);
    if (name.ends_with(".JSONSchemaPropsOrBool")) return schema_or_bool(bytes, depth);
    if (name.ends_with(".JSONSchemaPropsOrStringArray")) return schema_or(bytes, depth, true);
    doc::Object object;
    TIPHYS_CHECK_OK(members(type, 0, bytes, object, depth));
    return object;
  }

 private:
  Status members(const Type& type, std::uint32_t outer, std::string_view bytes, doc::Object& object, int depth) {
    WireReader reader(bytes);
    while (true) {
      TIPHYS_TRY(const auto wire, reader.next());
      if (!wire) return {};
      if (const Field* field = type.find_number(outer, wire->number)) {
        if (auto placed = place(*field, *wire, object, depth); !placed)
          return std::unexpected(placed.error().in(field->name));
      } else if (outer == 0 && wire->is_bytes && type.has_in_line(wire->number)) {
        TIPHYS_CHECK_OK(members(type, wire->number, wire->bytes, object, depth));
      }
    }
  }

  Status place(const Field& field, const WireField& wire, doc::Object& object, int depth) {
    const Type& type = *field.type;
    if (type.form == Type::Form::kList) {
      doc::Value& list = object[field.name];
      return append(*type.element, wire, list.is_array() ? list.get_array() : list.emplace_array(), depth);
    }
    if (type.form == Type::Form::kMap) return entry(*type.element, wire, doc::ensure_object(object, field.name), depth);
    TIPHYS_TRY(doc::Value value, value_of(type, wire, depth));
    if (!field.pointer && is_zero(value)) return {};
    object[field.name] = std::move(value);
    return {};
  }

  /// Go's encoder writes the zero values of what is no pointer; JSON leaves them out.
  static bool is_zero(const doc::Value& value) {
    return value.is_null() || (value.is_string() && value.get_string().empty()) ||
           (value.is_bool() && !value.get_bool()) || (value.is_int64() && value.get_int64() == 0);
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
    std::string key;
    doc::Value value;
    WireReader reader(wire.bytes);
    while (true) {
      TIPHYS_TRY(const auto part, reader.next());
      if (!part) break;
      if (part->number == 1) key = part->bytes;
      if (part->number != 2) continue;
      // A map of lists is a map of messages around lists.
      if (element.form == Type::Form::kList) {
        TIPHYS_TRY(value, listed(element, part->bytes, depth));
      } else {
        TIPHYS_TRY(value, value_of(element, *part, depth));
      }
    }
    if (value.is_null() && element.form == Type::Form::kString) value = "";
    map[key] = std::move(value);
    return {};
  }

  Result<doc::Value> listed(const Type& list, std::string_view message, int depth) {
    doc::Array items;
    WireReader reader(message);
    while (true) {
      TIPHYS_TRY(const auto item, reader.next());
      if (!item) return items;
      TIPHYS_CHECK_OK(append(*list.element, *item, items, depth));
    }
  }

  Result<doc::Value> value_of(const Type& type, const WireField& wire, int depth) {
    switch (type.form) {
      case Type::Form::kBoolean:
        return doc::Value(wire.value != 0);
      case Type::Form::kInteger:
        return doc::Value(static_cast<std::int64_t>(wire.value));
      case Type::Form::kNumber:
        return doc::Value(std::bit_cast<double>(wire.value));
      case Type::Form::kString:
        if (!wire.is_bytes) return malformed("a string is expected");
        if (type.name.ends_with("Time")) return message(type, wire.bytes, depth + 1);
        return type.format == "byte" ? doc::Value(encode_base64(wire.bytes)) : doc::Value(wire.bytes);
      default:
        if (!wire.is_bytes) return malformed("a message is expected");
        return message(type, wire.bytes, depth + 1);
    }
  }

  static Result<doc::Value> text_in(std::string_view bytes) {
    TIPHYS_TRY(const Fields fields, Fields::read(bytes));
    return doc::Value(fields.bytes[1]);
  }

  static Result<doc::Value> json_in(std::string_view bytes) {
    TIPHYS_TRY(const Fields fields, Fields::read(bytes));
    return fields.bytes[1].empty() ? doc::Value() : doc::parse_json(fields.bytes[1]);
  }

  static Result<doc::Value> int_or_string(std::string_view bytes) {
    TIPHYS_TRY(const Fields fields, Fields::read(bytes));
    if (fields.numbers[1] == 1) return doc::Value(fields.bytes[3]);
    return doc::Value(static_cast<std::int64_t>(static_cast<std::int32_t>(fields.numbers[2])));
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
        list.emplace_back(field->bytes);
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

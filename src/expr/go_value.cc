#include "expr/go_value.h"

#include <algorithm>

#include "base/encoding.h"
#include "expr/go_layout.h"
#include "expr/go_text.h"
#include "expr/semver.h"

namespace tiphys::expr {
namespace {

struct Kind {
  GoKind kind;
  StaticKind static_kind;
  std::string_view key;  ///< begins with \xff
  std::string_view type;
};

constexpr Kind kKinds[] = {
    {GoKind::kTime, StaticKind::kTime, "\xff:time", "time.Time"},
    {GoKind::kDuration, StaticKind::kDuration, "\xff:duration", "time.Duration"},
    {GoKind::kBytes, StaticKind::kBytes, "\xff:bytes", "[]uint8"},
    {GoKind::kLocation, StaticKind::kLocation, "\xff:location", "*time.Location"},
    {GoKind::kMonth, StaticKind::kMonth, "\xff:month", "time.Month"},
    {GoKind::kWeekday, StaticKind::kWeekday, "\xff:weekday", "time.Weekday"},
    {GoKind::kVersion, StaticKind::kVersion, "\xff:version", "semver.Version"},
    {GoKind::kVersionPointer, StaticKind::kVersion, "\xff:version pointer", "*semver.Version"},
    {GoKind::kStringMap, StaticKind::kUnknown, "\xff:strings", "map[string]string"},
};

const Kind& about(GoKind kind) {
  return *std::ranges::find(kKinds, kind, &Kind::kind);
}

/// The only member of an object that may be such a value.
const doc::Object::value_type* mark(const doc::Value& value) {
  const auto* object = value.if_object();
  if (!object || object->size() != 1) return nullptr;
  const auto& member = *object->begin();
  return member.key().starts_with('\xff') ? &member : nullptr;
}

/// Expressions can build such objects by hand: only those with a fitting content count.
bool fits(GoKind kind, const doc::Value& content) {
  switch (kind) {
    case GoKind::kTime:
    case GoKind::kLocation: {
      const auto* parts = content.if_array();
      return parts && parts->size() == 5 && (*parts)[0].is_int64() && (*parts)[1].is_int64() &&
             (*parts)[2].is_string() && (*parts)[3].is_int64() && (*parts)[4].is_string();
    }
    case GoKind::kDuration:
    case GoKind::kMonth:
    case GoKind::kWeekday:
      return content.is_int64();
    case GoKind::kBytes:
      return content.is_string();
    case GoKind::kVersion:
    case GoKind::kVersionPointer:
      return content.is_string() && parse_version(content.get_string());
    case GoKind::kStringMap:
      return content.is_object() &&
             std::ranges::all_of(content.get_object(), [](const auto& member) { return member.value().is_string(); });
  }
  return false;
}

doc::Array parts_of(const GoTime& time) {
  return {time.seconds, time.nanos, time.zone.name, time.zone.offset, time.zone.abbreviation};
}

GoTime time_of(const doc::Value& content) {
  const auto& parts = content.get_array();
  return {.seconds = parts[0].get_int64(),
          .nanos = static_cast<std::int32_t>(parts[1].get_int64()),
          .zone = {.name = std::string(parts[2].get_string()),
                   .offset = static_cast<std::int32_t>(parts[3].get_int64()),
                   .abbreviation = std::string(parts[4].get_string())}};
}

std::string named(std::string_view name, std::string_view type, std::int64_t number) {
  return name.empty() ? "%!" + std::string(type) + "(" + std::to_string(number) + ")" : std::string(name);
}

}  // namespace

doc::Value make_go_value(GoKind kind, doc::Value content) {
  doc::Object object;
  object.emplace(about(kind).key, std::move(content));
  return object;
}
doc::Value make_go_value(const GoTime& time) {
  return make_go_value(GoKind::kTime, parts_of(time));
}
doc::Value make_go_value(Duration duration) {
  return make_go_value(GoKind::kDuration, duration.count());
}
doc::Value make_go_value(const GoZone& zone) {
  return make_go_value(GoKind::kLocation, parts_of({.zone = zone}));
}

std::optional<GoKind> go_kind(const doc::Value& value) {
  const auto* marked = mark(value);
  if (!marked) return std::nullopt;
  const auto* found = std::ranges::find(kKinds, std::string_view(marked->key()), &Kind::key);
  if (found == std::end(kKinds) || !fits(found->kind, marked->value())) return std::nullopt;
  return found->kind;
}

const doc::Value* go_content(const doc::Value& value, GoKind kind) {
  return go_kind(value) == kind ? &mark(value)->value() : nullptr;
}

std::optional<GoTime> go_time(const doc::Value& value) {
  const doc::Value* content = go_content(value, GoKind::kTime);
  return content ? std::optional(time_of(*content)) : std::nullopt;
}
std::optional<Duration> go_duration(const doc::Value& value) {
  const doc::Value* content = go_content(value, GoKind::kDuration);
  return content ? std::optional(Duration{content->get_int64()}) : std::nullopt;
}
std::optional<GoZone> go_zone(const doc::Value& value) {
  const doc::Value* content = go_content(value, GoKind::kLocation);
  return content ? std::optional(time_of(*content).zone) : std::nullopt;
}
std::optional<std::string_view> go_bytes(const doc::Value& value) {
  const doc::Value* content = go_content(value, GoKind::kBytes);
  return content ? std::optional(std::string_view(content->get_string())) : std::nullopt;
}

doc::Value bytes_as_array(doc::Value value) {
  const auto bytes = go_bytes(value);
  if (!bytes) return value;
  doc::Array array;
  array.reserve(bytes->size());
  for (const char byte : *bytes) array.emplace_back(static_cast<std::int64_t>(static_cast<unsigned char>(byte)));
  return array;
}

StaticKind static_kind(GoKind kind) {
  return about(kind).static_kind;
}

const doc::Object* go_string_map(const doc::Value& value) {
  const doc::Value* content = go_content(value, GoKind::kStringMap);
  return content ? content->if_object() : nullptr;
}

std::string_view go_kind_name(GoKind kind) {
  return about(kind).type;
}

std::string go_value_text(const doc::Value& value) {
  const auto kind = go_kind(value);
  if (!kind) return {};
  const doc::Value& content = mark(value)->value();
  switch (*kind) {
    case GoKind::kTime:
      return format_time(time_of(content), kTimeString);
    case GoKind::kDuration:
      return format_go_duration(Duration{content.get_int64()});
    case GoKind::kBytes: {
      std::string text = "[";
      for (const char byte : std::string_view(content.get_string())) {
        if (text.size() > 1) text += ' ';
        text += std::to_string(static_cast<unsigned char>(byte));
      }
      return text + "]";
    }
    case GoKind::kLocation:
      return time_of(content).zone.name;
    case GoKind::kMonth:
      return named(month_name(content.get_int64()), "Month", content.get_int64());
    case GoKind::kWeekday:
      return named(weekday_name(content.get_int64()), "Weekday", content.get_int64());
    case GoKind::kVersion:
    case GoKind::kVersionPointer:
      return parse_version(content.get_string())->text();
    case GoKind::kStringMap:
      return go_text(content);
  }
  return {};
}

doc::Value go_value_plain(const doc::Value& value) {
  const auto kind = go_kind(value);
  if (!kind) return value;
  const doc::Value& content = mark(value)->value();
  switch (*kind) {
    case GoKind::kTime:
      return doc::Value(format_time(time_of(content), kRfc3339Nano));
    case GoKind::kBytes:
      return doc::Value(encode_base64(content.get_string()));
    case GoKind::kLocation:
      return doc::Object();
    case GoKind::kVersion:
    case GoKind::kVersionPointer:
      return doc::Value(go_value_text(value));
    default:
      return content;
  }
}

}  // namespace tiphys::expr

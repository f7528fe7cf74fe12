#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "objects/columns.h"
#include "objects/human_duration.h"
#include "objects/other_form.h"

namespace tiphys::objects {
namespace {

using doc::Value;

/// Events have two forms, whose members have different names (other_form.h).
std::string_view event_text(const Value& event, std::string_view member, std::string_view other) {
  const auto text = doc::find_string(event, member);
  return text.empty() ? doc::find_string(event, other) : text;
}
std::string_view subject_text(const Value& event, std::string_view member) {
  const auto text = doc::find_string(event, "involvedObject", member);
  return text.empty() ? doc::find_string(event, "regarding", member) : text;
}
std::string_view source_text(const Value& event, std::string_view member) {
  const auto text = doc::find_string(event, "source", member);
  return text.empty() ? doc::find_string(event, "deprecatedSource", member) : text;
}
std::string_view first_seen(const Value& event) {
  const auto at = event_text(event, "firstTimestamp", "deprecatedFirstTimestamp");
  return at.empty() ? doc::find_string(event, "eventTime") : at;
}

Value event_seen(const Value& event, Time now) {
  auto at = doc::find_string(event, "series", "lastObservedTime");
  if (at.empty()) at = event_text(event, "lastTimestamp", "deprecatedLastTimestamp");
  return Value(age_since(at.empty() ? first_seen(event) : at, now));
}
Value event_type(const Value& event, Time) {
  return Value(doc::find_string(event, "type"));
}
Value event_reason(const Value& event, Time) {
  return Value(doc::find_string(event, "reason"));
}
Value event_object(const Value& event, Time) {
  std::string kind(subject_text(event, "kind"));
  std::ranges::transform(kind, kind.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto name = subject_text(event, "name");
  return Value(name.empty() ? kind : fmt::format("{}/{}", kind, name));
}
Value event_part(const Value& event, Time) {
  return Value(subject_text(event, "fieldPath"));
}
Value event_source(const Value& event, Time) {
  auto component = source_text(event, "component");
  if (component.empty()) component = event_text(event, "reportingComponent", "reportingController");
  auto host = source_text(event, "host");
  if (host.empty()) host = doc::find_string(event, "reportingInstance");
  return Value(host.empty() ? std::string(component) : fmt::format("{}, {}", component, host));
}
Value event_message(const Value& event, Time) {
  std::string message(event_text(event, "message", "note"));
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return Value(message);
}
Value event_first(const Value& event, Time now) {
  return Value(age_since(first_seen(event), now));
}
Value event_count(const Value& event, Time) {
  for (const Value* count :
       {doc::find(event, "series", "count"), doc::find(event, "count"), doc::find(event, "deprecatedCount")}) {
    if (count && count->is_int64() && count->get_int64() > 0) return *count;
  }
  return Value(std::int64_t{1});
}
constexpr std::array kEventColumns{Column{"Last Seen", "string", 0, "When it happened last.", event_seen},
                                   Column{"Type", "string", 0, "Normal or Warning.", event_type},
                                   Column{"Reason", "string", 0, "What happened, in a word.", event_reason},
                                   Column{"Object", "string", 0, "What it happened to.", event_object},
                                   Column{"Subobject", "string", 1, "Which part of that.", event_part},
                                   Column{"Source", "string", 1, "Who tells it.", event_source},
                                   Column{"Message", "string", 0, "What happened.", event_message},
                                   Column{"First Seen", "string", 1, "When it happened first.", event_first},
                                   Column{"Count", "string", 1, "How often it happened.", event_count},
                                   Column{"Name", "string", 1, kNameColumn.about, name_cell}};

}  // namespace

std::span<const Column> event_columns(const cluster::Resource& resource) {
  if (&resource != &cluster::kEvents && &resource != &kNewEvents) return {};
  return kEventColumns;
}

}  // namespace tiphys::objects

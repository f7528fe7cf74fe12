#include "objects/event_rules.h"

#include <fmt/format.h>

#include "objects/names.h"
#include "objects/other_form.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;

constexpr std::size_t kMostWordBytes = 128;
constexpr std::size_t kMostNoteBytes = 1024;

// Go writes structs and times even where they are empty.

void fill_event(doc::Object& event) {
  for (const char* member : {"involvedObject", "source"}) doc::ensure_object(event, member);
  for (const char* member : {"firstTimestamp", "lastTimestamp", "eventTime"}) fill_in(event, member, nullptr);
  for (const char* member : {"reportingComponent", "reportingInstance"}) fill_in(event, member, "");
}

void fill_new_event(doc::Object& event) {
  for (const char* member : {"regarding", "deprecatedSource"}) doc::ensure_object(event, member);
  for (const char* member : {"deprecatedFirstTimestamp", "deprecatedLastTimestamp", "eventTime"}) {
    fill_in(event, member, nullptr);
  }
}

doc::Value stored_form(const doc::Value& event) {
  return doc::Value(store_form(*other_form(kNewEvents), event.get_object()));
}

bool has_event_time(const doc::Value& event) {
  return !doc::find_string(event, "eventTime").empty();
}

void check_word(const doc::Value& event, std::string_view member, FieldErrors& errors) {
  const auto word = doc::find_string(event, member);
  if (word.empty()) errors.push_back(schema::required(std::string(member)));
  if (word.size() <= kMostWordBytes) return;
  errors.push_back(
      schema::invalid(std::string(member), "", fmt::format("can have at most {} characters", kMostWordBytes)));
}

/// What both forms demand. `reporter` is what the form calls who reports it.
void check_any(const doc::Value& event, const char* reporter, FieldErrors& errors) {
  const auto ns = doc::find_string(event, "metadata", "namespace");
  const auto subject = doc::find_string(event, "involvedObject", "namespace");
  const bool is_new = has_event_time(event);
  const bool of_cluster = subject.empty() && (ns == "default" || (is_new && ns == "kube-system"));
  const bool elsewhere = subject.empty() ? !of_cluster : !is_new && subject != ns;
  if (elsewhere) {
    errors.push_back(
        schema::invalid("involvedObject.namespace", doc::Value(subject), "does not match event.namespace"));
  }
  if (!is_new) return;
  const auto name = doc::find_string(event, "reportingComponent");
  if (name.empty()) errors.push_back(schema::required(reporter));
  for (const std::string& why : qualified_name(name)) {
    errors.push_back(schema::invalid(reporter, doc::Value(name), why));
  }
  for (const char* member : {"reportingInstance", "action", "reason"}) check_word(event, member, errors);
  if (doc::find_string(event, "message").size() > kMostNoteBytes) {
    errors.push_back(schema::invalid("message", "", fmt::format("can have at most {} characters", kMostNoteBytes)));
  }
}

void check_event(const doc::Value& event, FieldErrors& errors) {
  check_any(event, "reportingComponent", errors);
}

void check_new_event(const doc::Value& event, FieldErrors& errors) {
  check_any(stored_form(event), "reportingController", errors);
}

void check_series(const doc::Value& event, FieldErrors& errors) {
  const doc::Value* series = doc::find(event, "series");
  if (!series || !series->is_object()) return;
  const doc::Value* count = doc::find(*series, "count");
  if (!count || !count->is_int64() || count->get_int64() < 2) {
    errors.push_back(schema::invalid("series.count", "", "should be at least 2"));
  }
  if (doc::find_string(*series, "lastObservedTime").empty()) {
    errors.push_back(schema::required("series.lastObservedTime"));
  }
}

/// A new one has only what the group itself knows.
void check_made_event(const doc::Value& made, FieldErrors& errors) {
  const doc::Value event = stored_form(made);
  check_series(event, errors);
  if (!has_event_time(event)) errors.push_back(schema::required("eventTime"));
  const auto type = doc::find_string(event, "type");
  if (type != "Normal" && type != "Warning") {
    errors.push_back(schema::invalid("type", "", fmt::format("has invalid value: {}", type)));
  }
  const auto unset = [&](const char* member) { errors.push_back(schema::invalid(member, "", "needs to be unset")); };
  for (const char* member : {"firstTimestamp", "lastTimestamp"}) {
    if (!doc::find_string(event, member).empty()) unset(member);
  }
  if (const doc::Value* count = doc::find(event, "count"); count && *count != doc::Value(0)) unset("count");
  const bool has_source =
      !doc::find_string(event, "source", "component").empty() || !doc::find_string(event, "source", "host").empty();
  if (has_source) unset("source");
}

/// Its series goes on; what it tells stays.
void check_new_event_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const doc::Value old = stored_form(before), now = stored_form(after);
  const auto member = [](const doc::Value& event, const char* name) {
    const doc::Value* found = doc::find(event, name);
    return found ? *found : doc::Value();
  };
  if (member(old, "series") != member(now, "series")) check_series(now, errors);
  for (const char* name :
       {"involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "reason", "type",
        "eventTime", "action", "related", "reportingComponent", "reportingInstance"}) {
    if (member(old, name) == member(now, name)) continue;
    const std::string_view told = name == std::string_view("reportingComponent") ? "reportingController" : name;
    const doc::Value value = member(now, name);
    const bool is_text = value.is_null() && member(old, name).is_string() && told != "eventTime";
    const bool is_number = value.is_null() && member(old, name).is_number();
    errors.push_back(schema::invalid(std::string(told),
                                     is_text     ? doc::Value("")
                                     : is_number ? doc::Value(0)
                                                 : value,
                                     "field is immutable"));
  }
}

}  // namespace

const KindRules kEventRules{fill_event, check_event};
const KindRules kNewEventRules{fill_new_event, check_new_event, check_new_event_update, check_made_event};

}  // namespace tiphys::objects

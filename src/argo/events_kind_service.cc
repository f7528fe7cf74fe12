// EventSourceService and SensorService: Argo Events' objects, and what their pods log.
#include <map>

#include "argo/kind_service.h"
#include "argo/streams.h"

namespace tiphys::argo {
namespace {

/// A kind of Argo Events, and how the lines of its pods are told. What of a line is a member of its JSON is so in the
/// message.
struct EventsKind {
  KindService kind;
  std::string_view label;  ///< of its pods: the object's name
  std::string_view name_member;
  std::vector<std::string_view> members;  ///< texts that lines may have
  std::vector<std::string_view> filters;  ///< those that a request may ask for
};

const EventsKind& event_sources() {
  static const EventsKind kKind{{cluster::kEventSources, "eventSource", "EventSourceList", false},
                                "eventsource-name",
                                "eventSourceName",
                                {"eventSourceName", "eventSourceType", "eventName", "level", "msg", "namespace"},
                                {"eventSourceType", "eventName"}};
  return kKind;
}

const EventsKind& sensors() {
  static const EventsKind kKind{
      {cluster::kSensors, "sensor", "SensorList", false},
      "sensor-name",
      "sensorName",
      {"sensorName", "triggerName", "level", "msg", "dependencyName", "eventContext", "namespace"},
      {"triggerName"}};
  return kKind;
}

/// The message for a line; "" for one that the request does not ask for.
std::string log_entry(const EventsKind& events, const LogLine& line,
                      const std::map<std::string_view, std::string>& wanted) {
  doc::Object entry{{"namespace", doc::find_string(*line.pod, "metadata", "namespace")},
                    {events.name_member, doc::find_string(*line.pod, "metadata", "labels", events.label)},
                    {"level", "info"},
                    {"time", format_rfc3339(line.at)},
                    {"msg", line.content}};
  if (const auto parsed = doc::parse_json(line.content); parsed && parsed->is_object()) {
    for (const std::string_view member : events.members) {
      const doc::Value* value = doc::find(*parsed, member);
      if (value && value->is_string()) entry[member] = *value;
    }
    if (const auto time = parse_rfc3339(doc::find_string(*parsed, "time"))) entry["time"] = format_rfc3339(*time);
  }
  for (const auto& [member, value] : wanted) {
    if (!value.empty() && doc::find_string(doc::Value(entry), member) != value) return "";
  }
  return doc::to_json(entry);
}

void logs(const WorkPtr& work, const EventsKind& events) {
  auto options = log_options(*work, "podLogOptions");
  if (!options) return work->refuse({Code::kInvalidArgument, options.error().message});
  const std::string name = work->text("name");
  std::map<std::string_view, std::string> wanted;
  for (const std::string_view member : events.filters) wanted.emplace(member, work->text(member));
  stream_logs(work,
              {.workflow = {&cluster::kWorkflows, work->text("namespace"), ""},
               .selector = std::string(events.label) + (name.empty() ? "" : "=" + name),
               .grep = work->text("grep"),
               .options = std::move(*options)},
              [&events, wanted = std::move(wanted)](const LogLine& line) { return log_entry(events, line, wanted); });
}

void watch(const WorkPtr& work, const EventsKind& events) {
  auto options = watch_options(*work);
  if (!options) return work->refuse(options.error());
  options->as_json = true;
  stream_changes(work, events.kind.resource, std::move(*options),
                 [](const cluster::WatchEvent& event) { return watch_event(event); });
}

}  // namespace

const Methods& event_source_methods() {
  static const Methods kMethods{{"CreateEventSource", [](const WorkPtr& work) { create(work, event_sources().kind); }},
                                {"GetEventSource", [](const WorkPtr& work) { get(work, event_sources().kind); }},
                                {"ListEventSources", [](const WorkPtr& work) { list(work, event_sources().kind); }},
                                {"UpdateEventSource", [](const WorkPtr& work) { update(work, event_sources().kind); }},
                                {"DeleteEventSource", [](const WorkPtr& work) { remove(work, event_sources().kind); }},
                                {"EventSourcesLogs", [](const WorkPtr& work) { logs(work, event_sources()); }},
                                {"WatchEventSources", [](const WorkPtr& work) { watch(work, event_sources()); }}};
  return kMethods;
}

const Methods& sensor_methods() {
  static const Methods kMethods{{"CreateSensor", [](const WorkPtr& work) { create(work, sensors().kind); }},
                                {"GetSensor", [](const WorkPtr& work) { get(work, sensors().kind); }},
                                {"ListSensors", [](const WorkPtr& work) { list(work, sensors().kind); }},
                                {"UpdateSensor", [](const WorkPtr& work) { update(work, sensors().kind); }},
                                {"DeleteSensor", [](const WorkPtr& work) { remove(work, sensors().kind); }},
                                {"SensorsLogs", [](const WorkPtr& work) { logs(work, sensors()); }},
                                {"WatchSensors", [](const WorkPtr& work) { watch(work, sensors()); }}};
  return kMethods;
}

}  // namespace tiphys::argo

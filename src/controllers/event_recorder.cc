#include "controllers/event_recorder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"

namespace tiphys::controllers {
namespace {

constexpr std::string_view kComponent = "workflow-controller";
/// As client-go: the tenth message within ten minutes is combined with those after it.
constexpr std::size_t kCombinedFrom = 10;
constexpr Duration kCombinedWithin = std::chrono::minutes(10);
constexpr std::size_t kMostGroups = 4096;

}  // namespace

EventRecorder::EventRecorder(Executor& executor, cluster::Cluster& cluster) : executor_(executor), cluster_(cluster) {}

EventRecorder::Group& EventRecorder::group(const EventSubject& subject, const Occurrence& occurrence, Time now) {
  std::string key = fmt::format("{}/{}/{}", subject.uid, occurrence.reason, occurrence.warning);
  const auto [found, added] = groups_.try_emplace(key);
  if (added) order_.push_back(std::move(key));
  Group& group = found->second;
  if (!added && now - group.last_at > kCombinedWithin) group = {};
  group.last_at = now;
  if (order_.size() > kMostGroups) {
    groups_.erase(order_.front());
    order_.pop_front();
  }
  return group;
}

void EventRecorder::record(const EventSubject& subject, Occurrence occurrence) {
  const Time now = executor_.now();
  Group& alike = group(subject, occurrence, now);
  alike.messages.insert(occurrence.message);
  if (alike.messages.size() < kCombinedFrom) {
    std::shared_ptr<Event>& single = alike.single[occurrence.message];
    return note(single, subject, std::move(occurrence), now);
  }
  alike.messages.erase(alike.messages.begin());
  occurrence.message.insert(0, "(combined from similar events): ");
  occurrence.annotations.clear();
  note(alike.combined, subject, std::move(occurrence), now);
}

void EventRecorder::note(std::shared_ptr<Event>& event, const EventSubject& subject, Occurrence occurrence, Time now) {
  if (!event) {
    event = std::make_shared<Event>();
    last_name_ = std::max<std::int64_t>(last_name_ + 1, now.time_since_epoch().count());
    event->name = fmt::format("{}.{:x}", subject.name, last_name_);
    event->subject = subject;
    event->first_at = now;
  }
  event->last = std::move(occurrence);
  event->last_at = now;
  ++event->count;
  if (!std::exchange(event->unwritten, true)) unwritten_.push_back(event);
}

void EventRecorder::write() {
  for (const std::shared_ptr<Event>& event : std::exchange(unwritten_, {})) put(event);
}

void EventRecorder::put(const std::shared_ptr<Event>& event) {
  event->unwritten = false;
  // One that has been deleted meanwhile is made anew the next time.
  auto done = [event](const Result<cluster::Object>& answer) {
    if (answer) return;
    event->created = false;
    log::debug("event {}/{} is not written: {}", event->subject.ns, event->name, answer.error().message);
  };
  if (std::exchange(event->created, true)) {
    cluster_.update({&cluster::kEvents, event->subject.ns, event->name}, document(*event), std::move(done));
  } else {
    cluster_.create(cluster::kEvents, document(*event), std::move(done));
  }
}

doc::Value EventRecorder::document(const Event& event) const {
  doc::Object metadata{{"name", event.name}, {"namespace", event.subject.ns}};
  if (!event.last.annotations.empty()) {
    doc::Object& annotations = metadata["annotations"].emplace_object();
    for (const auto& [key, value] : event.last.annotations) annotations[key] = value;
  }
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata", std::move(metadata)},
          {"involvedObject",
           {{"kind", event.subject.resource->kind},
            {"namespace", event.subject.ns},
            {"name", event.subject.name},
            {"uid", event.subject.uid},
            {"apiVersion", event.subject.resource->api_version()}}},
          {"reason", event.last.reason},
          {"message", event.last.message},
          {"source", {{"component", kComponent}}},
          {"firstTimestamp", format_rfc3339(event.first_at)},
          {"lastTimestamp", format_rfc3339(event.last_at)},
          {"count", event.count},
          {"type", event.last.warning ? "Warning" : "Normal"},
          {"eventTime", nullptr},
          {"reportingComponent", kComponent},
          {"reportingInstance", ""}};
}

}  // namespace tiphys::controllers

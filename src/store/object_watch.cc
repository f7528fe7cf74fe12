#include "store/object_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "store/workflow_nodes.h"

namespace tiphys::store {
namespace {

using cluster::WatchEvent;

/// Of the plane's time, watches of workflows with nodes take what a second allows of so many bytes: of a large workflow
/// that changes all the time each of its states would cost more than the steps do.
constexpr double kNodeBytesPerSecond = 20e6;
constexpr auto kShortestWait = std::chrono::milliseconds(1);

/// What a watch sees of an object that leaves its selection: the old state, under the new version.
cluster::Object departed(const Revision& before, std::uint64_t version) {
  doc::Value object = before.copy();
  set_resource_version(object, version);
  return std::make_shared<const doc::Value>(std::move(object));
}

}  // namespace

ObjectWatch::ObjectWatch(WatchHub& hub, const cluster::Resource& resource, cluster::WatchOptions options,
                         cluster::WatchSink sink)
    : hub_(hub),
      selection_{&resource, std::move(options.ns), std::move(options.labels), std::move(options.fields)},
      options_(std::move(options)),
      sink_(std::move(sink)) {
  options_.uncommitted = options_.uncommitted && options_.resource_version != 0;
  options_.with_nodes = options_.with_nodes && &resource == &cluster::kWorkflows;
}

void ObjectWatch::start(const Status& loaded) {
  if (closed_) return;
  if (!loaded) return end(loaded.error());
  auto& channel = hub_.channel(*selection_.resource);
  std::erase_if(channel.watches, [](const auto& watch) { return watch->closed(); });
  channel.watches.push_back(shared_from_this());
  if (options_.resource_version != 0) return replay();
  scan_.emplace(hub_.memory_, hub_.disk_, selection_, Name{}, options_.live_at_first);
  list_slice();
}

void ObjectWatch::list_slice() {
  if (closed_ || paused_ || !scan_) return;
  const Status read = scan_->next_slice([this](const Name&, const RevisionPtr& revision) {
    if (closed_ || paused_) return false;
    show(WatchEvent::Type::kAdded, *revision, std::nullopt);
    return !closed_;
  });
  if (closed_) return;
  if (!read) return end(read.error());
  if (scan_->finished()) return finish_list();
  if (!paused_) hub_.poster_.post([self = shared_from_this()] { self->list_slice(); });
}

void ObjectWatch::finish_list() {
  emit({WatchEvent::Type::kSynced, nullptr});
  scan_.reset();
  tell_waiting();
}

void ObjectWatch::replay() {
  const std::uint64_t from = options_.resource_version;
  const auto& channel = hub_.channel(*selection_.resource);
  if (from < channel.forgotten || from > hub_.version_) {
    return end({Code::kOutOfRange, fmt::format("too old resource version: {} ({})", from, hub_.version_)});
  }
  const auto first = std::ranges::upper_bound(channel.log, from, {}, &ObjectEvent::version);
  for (auto index = first - channel.log.begin(); !closed_ && index < std::ssize(channel.log); ++index) {
    offer(channel.log[static_cast<std::size_t>(index)]);
  }
  if (options_.with_nodes) replay_nodes();
  if (!options_.uncommitted) return;
  for (std::size_t index = 0; !closed_ && index < hub_.uncommitted_.size(); ++index) {
    if (hub_.uncommitted_[index].resource == selection_.resource) offer(hub_.uncommitted_[index].event);
  }
}

/// Changes of nodes alone are not in the log: each workflow knows its last one.
void ObjectWatch::replay_nodes() {
  for (const auto& [name, entry] : hub_.memory_.table(*selection_.resource)) {
    if (closed_) return;
    if (entry.nodes_version > options_.resource_version && entry.committed)
      offer(ObjectEvent::of_nodes(name, entry.committed, entry.nodes_version));
  }
}

void ObjectWatch::offer(const ObjectEvent& event) {
  if (closed_ || (event.is_of_nodes() && !options_.with_nodes)) return;
  if (options_.uncommitted) {
    const std::uint64_t version = event.after ? event.after->resource_version() : event.version;
    if (version <= told_) return;
    told_ = version;
  }
  // What the list has not come to yet it will show as it is then.
  if (scan_ && !scan_->has_passed(event.name)) return;
  if (!scan_ && !options_.with_nodes) return tell(event);
  wait(event);
  tell_waiting();
}

void ObjectWatch::wait(const ObjectEvent& event) {
  if (options_.with_nodes && waiting_.size() == hub_.limits_.waiting) merge_waiting();
  if (waiting_.size() == hub_.limits_.waiting) {
    return end({Code::kOutOfRange, fmt::format("too old resource version: {} changes wait for the reader of this watch",
                                               waiting_.size())});
  }
  waiting_.push_back(event);
}

void ObjectWatch::merge_waiting() {
  std::vector<ObjectEvent*> events;
  for (ObjectEvent& event : waiting_) events.push_back(&event);
  merge_status_updates(events);
  std::erase_if(waiting_, [](const ObjectEvent& event) { return event.merged; });
}

void ObjectWatch::tell_waiting() {
  if (scan_ || timer_set_ || calling_) return;
  if (options_.with_nodes && waiting_.size() > 1) merge_waiting();
  while (!closed_ && !paused_ && !waiting_.empty()) {
    if (free_at_ > hub_.poster_.now() + kShortestWait) {
      timer_set_ = true;
      hub_.poster_.schedule(free_at_, [self = shared_from_this()] {
        self->timer_set_ = false;
        self->tell_waiting();
      });
      return;
    }
    const ObjectEvent event = std::move(waiting_.front());
    waiting_.pop_front();
    tell(event);
  }
}

void ObjectWatch::pause(bool paused) {
  paused_ = paused;
  if (paused_) return;
  hub_.poster_.post([self = shared_from_this()] {
    self->list_slice();
    self->tell_waiting();
  });
}

void ObjectWatch::tell(const ObjectEvent& event) {
  const bool was = event.before && selection_.matches(event.name, *event.before);
  const bool is = event.after && selection_.matches(event.name, *event.after);
  if (was && is) {
    if (event.by_status_update && options_.without_status_updates) return;
    const bool same_spec = event.before->parts()[0] == event.after->parts()[0];
    const bool bare = event.by_status_update && options_.bare_status_updates && same_spec;
    if (bare) return emit({WatchEvent::Type::kModified, event.after->base()});
    show(WatchEvent::Type::kModified, *event.after, event.version);
  } else if (is) {
    show(WatchEvent::Type::kAdded, *event.after, event.version);
  } else if (was) {
    emit({WatchEvent::Type::kDeleted, event.last ? event.last->object() : departed(*event.before, event.version)});
  }
}

void ObjectWatch::show(WatchEvent::Type type, const Revision& revision, std::optional<std::uint64_t> version) {
  if (!options_.with_nodes) {
    if (options_.as_json) return emit({type, nullptr, revision.json(), revision.resource_version()});
    return emit({type, revision.object()});
  }
  auto whole =
      whole_workflow(hub_.disk_, revision, {.newest = hub_.version_, .version = version, .as_json = options_.as_json});
  if (!whole) return end(std::move(whole.error()));
  const auto cost = std::chrono::duration<double>(static_cast<double>(whole->bytes) / kNodeBytesPerSecond);
  free_at_ = std::max(free_at_, hub_.poster_.now()) + std::chrono::duration_cast<Duration>(cost);
  emit({type, std::move(whole->object), std::move(whole->text), whole->version});
}

void ObjectWatch::emit(WatchEvent event) {
  TIPHYS_CHECK(!calling_, "a watch's events come one after the other");
  calling_ = true;
  sink_.on_event(event);
  calling_ = false;
  // The watch was closed by its own reader, whose function had to live until here.
  if (closed_) sink_ = {};
}

void ObjectWatch::end(Error error) {
  closed_ = true;
  waiting_.clear();
  auto on_end = std::move(sink_.on_end);
  sink_ = {};
  if (on_end) on_end(std::move(error));
}

void ObjectWatch::close() {
  closed_ = true;
  waiting_.clear();
  if (!calling_) sink_ = {};
}

}  // namespace tiphys::store

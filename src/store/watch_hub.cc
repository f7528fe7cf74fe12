#include "store/watch_hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/check.h"

namespace tiphys::store {

using cluster::WatchEvent;

class ObjectWatch : public std::enable_shared_from_this<ObjectWatch> {
 public:
  ObjectWatch(WatchHub& hub, const cluster::Resource& resource, cluster::WatchOptions options, cluster::WatchSink sink)
      : hub_(hub),
        selection_{&resource, std::move(options.ns), std::move(options.labels), std::move(options.fields)},
        from_(options.resource_version),
        without_status_updates_(options.without_status_updates),
        bare_status_updates_(options.bare_status_updates),
        live_at_first_(options.live_at_first),
        uncommitted_(options.uncommitted && options.resource_version != 0),
        sink_(std::move(sink)) {}

  void start(const Status& loaded);
  void offer(const ObjectEvent& event);
  void close();
  void end(Error error);
  bool closed() const { return closed_; }
  bool uncommitted() const { return uncommitted_; }

 private:
  void list_slice();
  void replay();
  void tell(const ObjectEvent& event);
  void emit(WatchEvent::Type type, cluster::Object object);

  WatchHub& hub_;
  Selection selection_;
  std::uint64_t from_;
  bool without_status_updates_;
  bool bare_status_updates_;
  bool live_at_first_;
  bool uncommitted_;
  std::uint64_t told_ = 0;  ///< with uncommitted_: the newest version; what was told early is not told again
  cluster::WatchSink sink_;
  std::optional<Scan> scan_;  ///< while the first list goes on
  std::deque<ObjectEvent> waiting_;
  bool closed_ = false;
  bool calling_ = false;
};

namespace {

// What an event costs beside its object.
constexpr std::size_t kEventBytes = 512;

class WatchHandle final : public cluster::Watch {
 public:
  explicit WatchHandle(std::shared_ptr<ObjectWatch> watch) : watch_(std::move(watch)) {}
  ~WatchHandle() override { watch_->close(); }

 private:
  std::shared_ptr<ObjectWatch> watch_;
};

/// What a watch sees of an object that leaves its selection: the old state, under the new version.
cluster::Object departed(const Revision& before, std::uint64_t version) {
  doc::Value object = before.copy();
  set_resource_version(object, version);
  return std::make_shared<const doc::Value>(std::move(object));
}

}  // namespace

void ObjectWatch::start(const Status& loaded) {
  if (closed_) return;
  if (!loaded) return end(loaded.error());
  auto& channel = hub_.channel(*selection_.resource);
  std::erase_if(channel.watches, [](const auto& watch) { return watch->closed(); });
  channel.watches.push_back(shared_from_this());
  if (from_ != 0) return replay();
  scan_.emplace(hub_.memory_, hub_.disk_, selection_, Name{}, live_at_first_);
  list_slice();
}

void ObjectWatch::list_slice() {
  if (closed_) return;
  const Status read = scan_->next_slice([this](const Name&, const RevisionPtr& revision) {
    emit(WatchEvent::Type::kAdded, revision->object());
    return !closed_;
  });
  if (closed_) return;
  if (!read) return end(read.error());
  if (!scan_->finished()) {
    return hub_.poster_.post([self = shared_from_this()] { self->list_slice(); });
  }
  emit(WatchEvent::Type::kSynced, nullptr);
  scan_.reset();
  for (const auto waiting = std::move(waiting_); const ObjectEvent& event : waiting) {
    if (closed_) return;
    tell(event);
  }
}

void ObjectWatch::replay() {
  const auto& channel = hub_.channel(*selection_.resource);
  if (from_ < channel.forgotten || from_ > hub_.version_) {
    return end({Code::kOutOfRange, fmt::format("too old resource version: {} ({})", from_, hub_.version_)});
  }
  const auto first = std::ranges::upper_bound(channel.log, from_, {}, &ObjectEvent::version);
  for (auto index = first - channel.log.begin(); !closed_ && index < std::ssize(channel.log); ++index) {
    offer(channel.log[static_cast<std::size_t>(index)]);
  }
  if (!uncommitted_) return;
  for (std::size_t index = 0; !closed_ && index < hub_.uncommitted_.size(); ++index) {
    if (hub_.uncommitted_[index].resource == selection_.resource) offer(hub_.uncommitted_[index].event);
  }
}

void ObjectWatch::offer(const ObjectEvent& event) {
  if (closed_) return;
  if (uncommitted_) {
    if (event.version <= told_) return;
    told_ = event.version;
  }
  if (!scan_) return tell(event);
  // What the list has not come to yet it will show as it is then.
  if (!scan_->has_passed(event.name)) return;
  if (waiting_.size() == hub_.limits_.waiting) {
    return end({Code::kOutOfRange, fmt::format("too old resource version: more than {} changes during the first list",
                                               hub_.limits_.waiting)});
  }
  waiting_.push_back(event);
}

void ObjectWatch::tell(const ObjectEvent& event) {
  const bool was = event.before && selection_.matches(event.name, *event.before);
  const bool is = event.after && selection_.matches(event.name, *event.after);
  if (was && is) {
    if (event.by_status_update && without_status_updates_) return;
    const bool same_spec = event.before->parts()[0] == event.after->parts()[0];
    const bool bare = event.by_status_update && bare_status_updates_ && same_spec;
    emit(WatchEvent::Type::kModified, bare ? event.after->bare() : event.after->object());
  } else if (is) {
    emit(WatchEvent::Type::kAdded, event.after->object());
  } else if (was) {
    emit(WatchEvent::Type::kDeleted, event.last ? event.last->object() : departed(*event.before, event.version));
  }
}

void ObjectWatch::emit(WatchEvent::Type type, cluster::Object object) {
  TIPHYS_CHECK(!calling_, "a watch's events come one after the other");
  calling_ = true;
  sink_.on_event({type, std::move(object)});
  calling_ = false;
  // The watch was closed by its own reader, whose function had to live until here.
  if (closed_) sink_ = {};
}

void ObjectWatch::end(Error error) {
  closed_ = true;
  auto on_end = std::move(sink_.on_end);
  sink_ = {};
  if (on_end) on_end(std::move(error));
}

void ObjectWatch::close() {
  closed_ = true;
  waiting_.clear();
  if (!calling_) sink_ = {};
}

WatchHub::WatchHub(Poster& poster, Memory& memory, DiskReader& disk, Limits limits, std::uint64_t version)
    : poster_(poster), memory_(memory), disk_(disk), limits_(limits), first_version_(version), version_(version) {}

WatchHub::~WatchHub() = default;

WatchHub::Channel& WatchHub::channel(const cluster::Resource& resource) {
  const auto [found, made] = channels_.try_emplace(&resource);
  if (made) found->second.forgotten = first_version_;
  return found->second;
}

std::unique_ptr<cluster::Watch> WatchHub::watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                                cluster::WatchSink sink, std::move_only_function<Status()> load) {
  auto watch = std::make_shared<ObjectWatch>(*this, resource, std::move(options), std::move(sink));
  poster_.post([watch, load = std::move(load)]() mutable { watch->start(load()); });
  return std::make_unique<WatchHandle>(std::move(watch));
}

void WatchHub::announce(const cluster::Resource& resource, ObjectEvent event) {
  uncommitted_.push_back({&resource, std::move(event)});
  if (std::exchange(announcing_, true)) return;
  poster_.post([this] {
    announcing_ = false;
    tell_uncommitted();
  });
}

void WatchHub::tell_uncommitted() {
  const auto version_of = [](const Fresh& fresh) { return fresh.event.version; };
  const auto first = std::ranges::upper_bound(uncommitted_, announced_, {}, version_of);
  // Readers may write meanwhile, which adds to what is uncommitted: that has a turn of its own.
  const std::size_t end = uncommitted_.size();
  for (auto index = static_cast<std::size_t>(first - uncommitted_.begin()); index < end; ++index) {
    const auto& [resource, event, merged] = uncommitted_[index];
    announced_ = event.version;
    const auto& watches = channel(*resource).watches;
    for (std::size_t i = 0; i < watches.size(); ++i) {
      const auto watch = watches[i];
      if (watch->uncommitted()) watch->offer(event);
    }
  }
}

void WatchHub::forget_uncommitted() {
  uncommitted_.clear();
  for (auto& [resource, channel] : channels_) {
    for (const auto watches = channel.watches; const auto& watch : watches) {
      if (watch->uncommitted() && !watch->closed())
        watch->end({Code::kOutOfRange, "changes that were told could not be written"});
    }
  }
}

void WatchHub::append(std::size_t bytes) {
  TIPHYS_CHECK(!uncommitted_.empty(), "what is committed was announced");
  const cluster::Resource& resource = *uncommitted_.front().resource;
  ObjectEvent event = std::move(uncommitted_.front().event);
  uncommitted_.pop_front();
  fresh_.push_back({&resource, event});
  Channel& log = channel(resource);
  event.bytes = bytes + kEventBytes;
  log.bytes += event.bytes;
  log.log.push_back(std::move(event));
  while (log.log.size() > limits_.events || log.bytes > limits_.bytes) {
    log.forgotten = log.log.front().version;
    log.bytes -= log.log.front().bytes;
    log.log.pop_front();
  }
}

void WatchHub::merge_status_updates() {
  std::map<std::pair<const cluster::Resource*, std::string_view>, Fresh*> newest;
  for (Fresh& fresh : fresh_) {
    const auto name = std::string_view(fresh.event.name.name);
    Fresh*& earlier = newest[{fresh.resource, name}];
    if (earlier && earlier->event.name == fresh.event.name && earlier->event.by_status_update &&
        fresh.event.by_status_update) {
      fresh.event.before = earlier->event.before;
      earlier->merged = true;
    }
    earlier = &fresh;
  }
}

void WatchHub::dispatch_new() {
  merge_status_updates();
  for (const auto all = std::exchange(fresh_, {}); const auto& [resource, event, merged] : all) {
    auto& watches = channel(*resource).watches;
    if (merged || watches.empty()) continue;
    // Readers may close any watch while they are told, but new ones start in a turn of their own.
    for (const auto& watch : watches) watch->offer(event);
    std::erase_if(watches, [](const auto& watch) { return watch->closed(); });
  }
}

}  // namespace tiphys::store

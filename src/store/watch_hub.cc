#include "store/watch_hub.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "base/check.h"
#include "store/object_watch.h"

namespace tiphys::store {
namespace {

// What an event costs beside its object.
constexpr std::size_t kEventBytes = 512;

class WatchHandle final : public cluster::Watch {
 public:
  explicit WatchHandle(std::shared_ptr<ObjectWatch> watch) : watch_(std::move(watch)) {}
  ~WatchHandle() override { watch_->close(); }
  void pause(bool paused) override { watch_->pause(paused); }

 private:
  std::shared_ptr<ObjectWatch> watch_;
};

}  // namespace

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
    const auto& [resource, event] = uncommitted_[index];
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

void WatchHub::append_nodes(const Name& name, const RevisionPtr& workflow, std::uint64_t version) {
  const auto& watches = channel(cluster::kWorkflows).watches;
  if (!std::ranges::any_of(watches, [](const auto& watch) { return watch->with_nodes(); })) return;
  fresh_.push_back({&cluster::kWorkflows, ObjectEvent::of_nodes(name, workflow, version)});
}

void merge_status_updates(std::span<ObjectEvent* const> events) {
  std::map<std::reference_wrapper<const Name>, ObjectEvent*, std::less<Name>> newest;
  for (ObjectEvent* event : events) {
    const auto [found, is_first] = newest.try_emplace(event->name, event);
    if (is_first) continue;
    ObjectEvent* earlier = std::exchange(found->second, event);
    if (!earlier->by_status_update || !event->by_status_update) continue;
    event->before = earlier->before;
    earlier->merged = true;
  }
}

void WatchHub::dispatch_new() {
  auto all = std::exchange(fresh_, {});
  std::vector<ObjectEvent*> of_workflows;
  for (auto& [resource, event] : all) {
    if (resource == &cluster::kWorkflows) of_workflows.push_back(&event);
  }
  merge_status_updates(of_workflows);
  for (const auto& [resource, event] : all) {
    auto& watches = channel(*resource).watches;
    if (event.merged || watches.empty()) continue;
    // Readers may close any watch while they are told, but new ones start in a turn of their own.
    for (const auto& watch : watches) watch->offer(event);
    std::erase_if(watches, [](const auto& watch) { return watch->closed(); });
  }
}

}  // namespace tiphys::store

#include "simulation/disturbed_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>

namespace tiphys::simulation {
namespace {

constexpr Duration kLatestRepeat = std::chrono::seconds(5), kLatest = std::chrono::seconds(3);

std::uint64_t version_of(const doc::Value& object) {
  const std::string_view text = doc::find_string(object, "metadata", "resourceVersion");
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

/// One watch: passes events on, sometimes twice; a cut ends it.
class Tap : public cluster::Watch, public std::enable_shared_from_this<Tap> {
 public:
  Tap(Executor& executor, Disturbances disturbances, Chance& chance, std::vector<std::string>& complaints,
      std::string what, cluster::WatchSink sink)
      : executor_(executor),
        disturbances_(disturbances),
        chance_(chance),
        complaints_(complaints),
        what_(std::move(what)),
        sink_(std::move(sink)) {}

  void open(cluster::Cluster& inner, const cluster::Resource& resource, cluster::WatchOptions options) {
    synced_ = options.resource_version != 0;
    inner_ = inner.watch(resource, std::move(options),
                         {[weak = weak_from_this()](const cluster::WatchEvent& event) {
                            if (const auto self = weak.lock()) self->on_event(event);
                          },
                          [weak = weak_from_this()](Error error) {
                            if (const auto self = weak.lock()) self->end(std::move(error));
                          }});
  }
  void close() {
    closed_ = true;
    inner_.reset();
  }

 private:
  void on_event(const cluster::WatchEvent& event) {
    if (closed_) return;
    check_order(event);
    if (chance_.percent(disturbances_.cut_percent)) {
      // The event is lost, and all until the watch begins anew.
      closed_ = true;
      executor_.post([self = shared_from_this()] {
        self->inner_.reset();
        self->sink_.on_end({Code::kOutOfRange, "too old resource version"});
      });
      return;
    }
    if (event.object && chance_.percent(disturbances_.repeat_percent)) {
      executor_.schedule(executor_.now() + chance_.up_to(kLatestRepeat), [weak = weak_from_this(), event] {
        if (const auto self = weak.lock(); self && !self->closed_) self->sink_.on_event(event);
      });
    }
    const bool late = chance_.percent(disturbances_.late_percent);
    if (late || !late_.empty()) return put_off(event, late ? chance_.up_to(kLatest) : Duration(0));
    sink_.on_event(event);
  }

  void put_off(const cluster::WatchEvent& event, Duration delay) {
    late_.push_back(event);
    due_ = std::max(due_, executor_.now()) + delay;
    executor_.schedule(due_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || self->closed_) return;
      const cluster::WatchEvent next = std::move(self->late_.front());
      self->late_.pop_front();
      self->sink_.on_event(next);
    });
  }

  void check_order(const cluster::WatchEvent& event) {
    if (event.type == cluster::WatchEvent::Type::kSynced) {
      synced_ = true;
    } else if (synced_) {
      const std::uint64_t version = version_of(*event.object);
      if (version <= last_version_) {
        complaints_.push_back(
            fmt::format("the watch of {} went back from version {} to {}", what_, last_version_, version));
      }
      last_version_ = version;
    }
  }

  void end(Error error) {
    if (closed_) return;
    closed_ = true;
    sink_.on_end(std::move(error));
  }

  Executor& executor_;
  Disturbances disturbances_;
  Chance& chance_;
  std::vector<std::string>& complaints_;
  std::string what_;
  cluster::WatchSink sink_;
  std::unique_ptr<cluster::Watch> inner_;
  std::deque<cluster::WatchEvent> late_;
  Time due_{};  ///< of the last of those
  bool synced_ = false;
  bool closed_ = false;
  std::uint64_t last_version_ = 0;
};

class TapHandle final : public cluster::Watch {
 public:
  explicit TapHandle(std::shared_ptr<Tap> tap) : tap_(std::move(tap)) {}
  ~TapHandle() override { tap_->close(); }

 private:
  std::shared_ptr<Tap> tap_;
};

std::string name_of(const cluster::Key& workflow) {
  return fmt::format("{}/{}", workflow.ns, workflow.name);
}

}  // namespace

std::uint64_t Promises::issued(const cluster::Key& workflow, const cluster::WorkflowStatusUpdate& update) {
  ++last_ticket_;
  for (const auto& node : update.nodes) nodes_[name_of(workflow)][node.id].push_back({last_ticket_, node.json});
  return last_ticket_;
}

void Promises::answered(const cluster::Key& workflow, std::uint64_t ticket, bool acknowledged) {
  for (auto& [id, versions] : nodes_[name_of(workflow)]) {
    const auto found = std::ranges::find(versions, ticket, &Version::ticket);
    if (found == versions.end()) continue;
    if (acknowledged) {
      found->acknowledged = true;
      versions.erase(versions.begin(), found);
    } else {
      versions.erase(found);
    }
  }
}

std::vector<std::string> Promises::broken_by(const doc::Value& workflow) const {
  std::vector<std::string> broken;
  const std::string name = fmt::format("{}/{}", doc::find_string(workflow, "metadata", "namespace"),
                                       doc::find_string(workflow, "metadata", "name"));
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return broken;
  for (const auto& [id, versions] : found->second) {
    if (versions.empty() || !versions.front().acknowledged) continue;
    const doc::Value* stored = doc::find(workflow, "status", "nodes", id);
    const bool kept = stored && std::ranges::any_of(versions, [&](const Version& version) {
                        const auto promised = doc::parse_json(version.json);
                        return promised && *promised == *stored;
                      });
    if (!kept) broken.push_back(fmt::format("node {} of {} is not on disk as it was acknowledged", id, name));
  }
  return broken;
}

void DisturbedCluster::create(const cluster::Resource& resource, doc::Value object,
                              cluster::Done<cluster::Object> done) {
  cluster::Key key{&resource, std::string(doc::find_string(object, "metadata", "namespace")),
                   std::string(doc::find_string(object, "metadata", "name"))};
  inner_.create(resource, std::move(object),
                [this, key = std::move(key), done = std::move(done)](Result<cluster::Object> answer) mutable {
                  if (answer) promises_.created(key);
                  done(std::move(answer));
                });
}

void DisturbedCluster::update_workflow_status(const cluster::Key& key, cluster::WorkflowStatusUpdate update,
                                              cluster::Done<void> done) {
  const std::uint64_t ticket = promises_.issued(key, update);
  inner_.update_workflow_status(key, std::move(update),
                                [this, key, ticket, done = std::move(done)](Result<void> answer) mutable {
                                  promises_.answered(key, ticket, answer.has_value());
                                  done(std::move(answer));
                                });
}

std::unique_ptr<cluster::Watch> DisturbedCluster::watch(const cluster::Resource& resource,
                                                        cluster::WatchOptions options, cluster::WatchSink sink) {
  const Disturbances disturbances = &resource == &cluster::kPods ? disturbances_ : Disturbances{};
  auto tap = std::make_shared<Tap>(executor_, disturbances, chance_, complaints_, std::string(resource.plural),
                                   std::move(sink));
  tap->open(inner_, resource, std::move(options));
  return std::make_unique<TapHandle>(std::move(tap));
}

}  // namespace tiphys::simulation

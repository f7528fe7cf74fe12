// The cluster as the controllers see it in the simulation: it notes what was acknowledged, checks the order of watch
// events, and disturbs the watch of pods.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "simulation/chance.h"

namespace tiphys::simulation {

/// What the plane has promised to keep. It outlives crashes.
class Promises {
 public:
  /// Nodes' states were handed over. Returns the ticket that names the update.
  std::uint64_t issued(const cluster::Key& workflow, const cluster::WorkflowStatusUpdate& update);
  void answered(const cluster::Key& workflow, std::uint64_t ticket, bool acknowledged);
  void created(const cluster::Key& key) { objects_.insert(key); }
  void removed(const cluster::Key& key) { objects_.erase(key); }

  /// Sentences about what of a stored workflow is not what was promised.
  std::vector<std::string> broken_by(const doc::Value& workflow) const;
  const std::set<cluster::Key>& objects() const { return objects_; }

 private:
  struct Version {
    std::uint64_t ticket;
    std::string json;
    bool acknowledged = false;
  };
  /// From the newest acknowledged version on: any of them may be on disk.
  std::map<std::string, std::map<std::string, std::list<Version>>> nodes_;  ///< by workflow, then node
  std::set<cluster::Key> objects_;
  std::uint64_t last_ticket_ = 0;
};

struct Disturbances {
  std::size_t repeat_percent = 0;  ///< an event comes again, later
  std::size_t late_percent = 0;    ///< an event comes later, and those behind it no sooner
  std::size_t cut_percent = 0;     ///< the watch ends, with it the events until it begins anew
};

class DisturbedCluster final : public cluster::Cluster {
 public:
  DisturbedCluster(Executor& executor, cluster::Cluster& inner, Promises& promises, Disturbances disturbances,
                   Chance& chance, std::vector<std::string>& complaints)
      : executor_(executor),
        inner_(inner),
        promises_(promises),
        disturbances_(disturbances),
        chance_(chance),
        complaints_(complaints) {}

  void get(const cluster::Key& key, cluster::Done<cluster::Object> done) override { inner_.get(key, std::move(done)); }
  void list(const cluster::Resource& resource, cluster::ListOptions options,
            cluster::Done<cluster::List> done) override {
    inner_.list(resource, std::move(options), std::move(done));
  }
  void create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) override;
  void update(const cluster::Key& key, doc::Value object, cluster::Done<cluster::Object> done) override {
    inner_.update(key, std::move(object), std::move(done));
  }
  void patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch,
             cluster::Done<cluster::Object> done) override {
    inner_.patch(key, type, std::move(patch), std::move(done));
  }
  void remove(const cluster::Key& key, cluster::DeleteOptions options, cluster::Done<cluster::Object> done) override {
    promises_.removed(key);
    inner_.remove(key, std::move(options), std::move(done));
  }
  void update_workflow_status(const cluster::Key& key, cluster::WorkflowStatusUpdate update,
                              cluster::Done<void> done) override;
  std::unique_ptr<cluster::Watch> watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                        cluster::WatchSink sink) override;
  std::unique_ptr<cluster::Watch> watch_nodes(const cluster::Key& workflow, NodeSink sink) override {
    return inner_.watch_nodes(workflow, std::move(sink));
  }
  std::unique_ptr<cluster::Watch> read_log(const cluster::Key& pod, cluster::LogOptions options,
                                           cluster::LogSink sink) override {
    return inner_.read_log(pod, std::move(options), std::move(sink));
  }

 private:
  Executor& executor_;
  cluster::Cluster& inner_;
  Promises& promises_;
  Disturbances disturbances_;
  Chance& chance_;
  std::vector<std::string>& complaints_;
};

}  // namespace tiphys::simulation

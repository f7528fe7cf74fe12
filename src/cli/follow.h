// Runs as they go on: their objects and nodes, kept fresh by watches, until they have finished.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/loop.h"
#include "cli/view/run_view.h"
#include "cluster/cluster.h"

namespace tiphys::cli {

class Following {
 public:
  /// `created` is the moment in which this command created them, if it did.
  Following(Loop& loop, const std::vector<cluster::Key>& workflows, RunView& view, Time created = {});
  ~Following();

  /// Watches until all have finished. An error is the cluster's, kUnavailable when its process is gone: call it again
  /// with another cluster, and it goes on. kNotFound: a workflow does not exist.
  Status run(cluster::Cluster& cluster);
  /// Makes run() return at once with this error.
  void give_up(Error error) { lost_ = std::move(error); }

  const std::deque<RunState>& runs() const { return runs_; }
  bool finished() const;
  bool succeeded() const;

 private:
  struct Watches;

  void watch(cluster::Cluster& cluster, RunState& run, Watches& watches);
  void take_workflow(RunState& run, const cluster::WatchEvent& event);
  void take_node(RunState& run, std::string_view json);
  Status complete_nodes(cluster::Cluster& cluster);

  Loop& loop_;
  RunView& view_;
  std::deque<RunState> runs_;
  std::vector<std::unique_ptr<Watches>> watches_;
  std::optional<Error> lost_;
};

}  // namespace tiphys::cli

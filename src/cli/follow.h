// Runs as they go on: their objects and nodes, kept fresh by watches, until they have finished.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/loop.h"
#include "cli/view/node_tree.h"
#include "cluster/cluster.h"

namespace tiphys::cli {

struct RunState {
  cluster::Key key;
  cluster::Object workflow;  ///< without status.nodes, perhaps without spec; null before the first event
  cluster::Object whole;     ///< this one or an earlier one, with the spec as it is
  NodeMap nodes;
  bool finished = false;
  bool deleted = false;  ///< it went while it was followed
  bool listed = false;   ///< the present watch has told of it
  Time created{};        ///< when this command created it; the object itself knows whole seconds only
  Time ended{};          ///< when this command heard of its end; set if `created` is

  std::string_view phase() const;
  /// A copy with the spec, once there is one.
  doc::Value with_spec() const;
  bool succeeded() const { return finished && phase() == "Succeeded"; }
};

/// Shows what is followed.
class RunView {
 public:
  virtual ~RunView() = default;
  /// A node has changed; `before` is the phase in which it was seen last.
  virtual void node_changed(const RunState& run, const api::NodeStatus& node, api::NodePhase before) = 0;
  /// The object has changed.
  virtual void workflow_changed(const RunState& run) = 0;
  /// A line for the user in the midst of it.
  virtual void note(const std::string& text) = 0;
  /// All is shown that will be.
  virtual void end() = 0;
};

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

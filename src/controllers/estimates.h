// How long a workflow and its nodes are expected to take: as long as in the newest successful workflow of the same
// template or CronWorkflow, the baseline. Original: workflow/controller/estimation.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/node_status.h"
#include "cluster/cluster.h"

namespace tiphys::controllers {

/// Whole seconds; 0: nothing is known.
class Estimates {
 public:
  Estimates() = default;
  /// Of the workflow of this name, from a finished one with its nodes.
  Estimates(std::string workflow, const doc::Value& baseline);

  /// Nodes that have begun: what was expected of them stays.
  void keep(const std::vector<api::NodeStatus>& nodes);
  std::int64_t of_workflow() const { return whole_; }
  std::int64_t of_node(const std::string& id, std::string_view name) const;
  /// What the status tells, so that a restart takes the same baseline.
  doc::Object status_fields() const;

 private:
  using Seconds = std::unordered_map<std::string, std::int64_t>;  ///< by node id

  std::string workflow_, baseline_;
  std::int64_t whole_ = 0;
  Seconds nodes_;  ///< of the baseline
  Seconds kept_;
};

/// Which label of a workflow names what it was made from, and its value; nothing: it stands alone.
std::optional<std::pair<std::string_view, std::string>> origin_of(const std::map<std::string, std::string>& labels);
/// The baseline that the status of a workflow names, which has begun; "": none.
std::string_view baseline_of(const doc::Value& workflow);

/// Of a workflow that begins. `done` gets an error only when the plane could not be read.
void fetch_estimates(cluster::Cluster& cluster, const cluster::Key& workflow,
                     const std::pair<std::string_view, std::string>& origin, cluster::Done<Estimates> done);
/// Of one that goes on. A baseline that is gone tells nothing.
void fetch_estimates(cluster::Cluster& cluster, const cluster::Key& workflow, std::string_view baseline,
                     cluster::Done<Estimates> done);

}  // namespace tiphys::controllers

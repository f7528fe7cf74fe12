// Changes of one object that others may change meanwhile: read, changed, written if nobody came between, else anew.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cluster/cluster.h"
#include "kube/api.h"

namespace tiphys::kube {

/// From the object as it is to the object as it is to be.
using Change = std::move_only_function<Status(doc::Value& object)>;

/// Reads the object, applies `change` and writes what differs as a merge patch with the version that was read; after a
/// conflict again, ten times at most. With `version` only on that one: another is kAborted. A workflow's nodes are not
/// touched, whatever `change` makes of them. `done` gets the object as the server has it then.
void edit(const std::shared_ptr<Api>& api, const cluster::Key& key, Change change, std::string version,
          cluster::Done<cluster::Object> done);

/// Writes of statuses. What has been written last is kept for the next write of the same workflow, until it completes:
/// a write then sends what changes and reads nothing. The nodes go into status.nodes, or packed into
/// status.compressedNodes, as large as the workflow is.
///
/// Copies are the same writer.
class StatusWriter {
 public:
  explicit StatusWriter(std::shared_ptr<Api> api);

  void write(const cluster::Key& key, cluster::WorkflowStatusUpdate update, cluster::Done<void> done);
  /// The workflow is as an own write has left it.
  bool wrote(const doc::Value& workflow) const;
  void forget(const doc::Value& workflow);

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::kube

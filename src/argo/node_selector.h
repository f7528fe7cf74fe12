// Which nodes of a workflow are meant: a nodeFieldSelector.
#pragma once

#include <string_view>
#include <vector>

#include "api/node_status.h"
#include "cluster/selector.h"

namespace tiphys::argo {

/// Fields: displayName, templateName, phase, name, id, templateRef.name, templateRef.template and
/// inputs.parameters.NAME.value.
class NodeSelector {
 public:
  /// `status` is the old way to say phase=STATUS; both at once are an error.
  static Result<NodeSelector> parse(std::string_view fields, std::string_view status = "");
  bool empty() const { return selector_.empty(); }
  bool matches(const api::NodeStatus& node) const;
  const std::vector<cluster::Requirement>& requirements() const { return selector_.requirements(); }

 private:
  cluster::Selector selector_;
};

}  // namespace tiphys::argo

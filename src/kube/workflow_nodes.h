// The nodes of a Workflow as its object holds them: in status.nodes, or packed in status.compressedNodes when the whole
// is large. Original: workflow/packer.
#pragma once

#include <string>

#include "cluster/resource.h"
#include "doc/value.h"

namespace tiphys::kube {

/// A Workflow of more bytes of JSON has its nodes packed; packed it may still not be larger.
inline constexpr std::size_t kMostWorkflowBytes = 1024 * 1024;

/// Puts packed nodes in their place. kUnimplemented for nodes that the original has put into a database.
Status unpack_nodes(doc::Value& workflow);
/// Takes the nodes away, in both forms.
void strip_nodes(doc::Value& workflow);
/// status.compressedNodes for these nodes.
std::string pack_nodes(const doc::Value& nodes);

inline bool is_workflow(const cluster::Resource& resource) {
  return &resource == &cluster::kWorkflows;
}

}  // namespace tiphys::kube

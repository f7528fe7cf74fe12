// The templates that a StatefulSet or a DaemonSet has had, as ControllerRevisions
// (k8s.io/kubernetes/pkg/controller/history).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

/// The revision that its present template is, and the one that its pods had before.
struct SetRevisions {
  std::string update, current;  ///< names
  std::string update_hash;      ///< of the present template, which a DaemonSet's pods have as a label
  doc::Value update_template, current_template;
  std::optional<doc::Value> create{}, change{};  ///< what has to be written for that
};

/// `kind` is what `set` is.
SetRevisions revisions_of(const cluster::Resource& kind, const doc::Value& set,
                          const std::vector<cluster::Object>& revisions);
/// The hash of the template that a revision keeps.
std::string_view hash_of(const cluster::Resource& kind, const doc::Value& revision);
/// Those beyond the limit of its history, the oldest first; `in_use` are names.
std::vector<cluster::Object> surplus_revisions(const doc::Value& set, const std::vector<cluster::Object>& revisions,
                                               const std::vector<std::string>& in_use);

}  // namespace tiphys::controllers::workloads

// What is to be done about a DaemonSet (k8s.io/kubernetes/pkg/controller/daemon): a pure function of what there is.
#pragma once

#include <optional>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

struct DaemonSetParts {
  std::vector<cluster::Object> nodes{};
  std::vector<cluster::Object> pods{};  ///< its own
  std::vector<cluster::Object> revisions{};
  int failures = 0;  ///< how many of its pods have failed in a row
};

struct DaemonSetPlan {
  std::optional<doc::Value> create_revision{};
  std::optional<doc::Value> update_revision{};
  std::vector<cluster::Object> remove_revisions{};
  std::vector<doc::Value> create_pods{};
  std::vector<cluster::Object> remove_pods{};
  doc::Object status{};
  std::optional<Time> look_again{};
};

DaemonSetPlan plan_daemon_set(const doc::Value& set, const DaemonSetParts& parts, Time now);

/// The annotation of a DaemonSet that counts its templates, whose number its pods have as the label after it.
inline constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";
inline constexpr std::string_view kPodTemplateGeneration = "pod-template-generation";

}  // namespace tiphys::controllers::workloads

// The ReplicaSets of a Deployment as its revisions: one for each template that it has had
// (k8s.io/kubernetes/pkg/controller/deployment/util).
#pragma once

#include <string>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

inline constexpr std::string_view kTemplateHash = "pod-template-hash";
inline constexpr std::string_view kRevision = "deployment.kubernetes.io/revision";
inline constexpr std::string_view kRevisionHistory = "deployment.kubernetes.io/revision-history";
inline constexpr std::string_view kDesiredReplicas = "deployment.kubernetes.io/desired-replicas";
inline constexpr std::string_view kMaxReplicas = "deployment.kubernetes.io/max-replicas";

/// Of a template, in letters that make no words.
std::string template_hash(const doc::Value& pod_template, std::int64_t collisions);
/// Apart from the label with the hash.
bool same_template(const doc::Value& one, const doc::Value& other);
/// 0 when it has none.
std::int64_t revision_of(const doc::Value& object);
/// The one with the Deployment's present template, the oldest if there are several; null when there is none.
cluster::Object find_newest(const doc::Value& deployment, const std::vector<cluster::Object>& replica_sets);
/// Without pods; they come when it is scaled.
doc::Value make_replica_set(const doc::Value& deployment, std::int64_t revision);
/// Brings its annotations up to what the Deployment says; a revision that it had before goes to its history. False when
/// nothing changes.
bool annotate(doc::Value& replica_set, const doc::Value& deployment, std::int64_t revision);

}  // namespace tiphys::controllers::workloads

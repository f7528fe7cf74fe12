// Pods of Jobs: how one is made, and which are too many.
#pragma once

#include <optional>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

/// The index that a pod of an indexed Job works on.
std::optional<std::int64_t> completion_index(const doc::Value& pod);
doc::Value job_pod(const doc::Value& job, std::optional<std::int64_t> index);
/// At least `at_least` of the active ones; with `completions` also all that have no index, one out of range or one that
/// another has too.
std::vector<cluster::Object> surplus_pods(std::vector<cluster::Object> active, std::int64_t at_least,
                                          std::optional<std::int64_t> completions);

}  // namespace tiphys::controllers::workloads

// What controllers ask of pods, and how they make them (k8s.io/kubernetes/pkg/controller/controller_utils.go,
// pkg/api/v1/pod).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

bool is_ready(const doc::Value& pod);
/// Ready for that long.
bool is_available(const doc::Value& pod, Duration at_least, Time now);
/// Neither ended nor about to be removed.
bool is_active(const doc::Value& pod);
/// About to be removed, and not ended.
bool is_terminating(const doc::Value& pod);
/// When its last container ended, or whatever else tells of its end.
Time finished_at(const doc::Value& pod);

/// The pod of a template: labels, annotations, finalizers and spec; its owner controls it.
doc::Object pod_of(const doc::Value& pod_template, const cluster::Resource& owner_kind, const doc::Value& owner);

/// Whether of two pods the first is to go sooner when there are too many: it has less to lose.
bool goes_before(const doc::Value& one, const doc::Value& other);

}  // namespace tiphys::controllers::workloads

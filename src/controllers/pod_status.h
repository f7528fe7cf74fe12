// What a pod's status means for the node that it runs.
#pragma once

#include "doc/value.h"
#include "engine/run.h"

namespace tiphys::controllers {

/// The node whose pod this is: its node-id annotation; the pod's name where it has none.
std::string_view node_id_of_pod(const doc::Value& pod);

/// Phase, message, exit code, times and outputs in the original's words. Original: assessNodeStatus, getPendingReason
/// and inferFailedReason in workflow/controller/operator.go.
engine::PodChanged read_pod(const doc::Value& pod);

/// The same for a pod that is no more: what it had come to when it had ended, else as gone_pod.
engine::PodChanged read_deleted_pod(const doc::Value& pod);

/// A pod that is no more, of which only its node is known: kGone with "pod deleted".
engine::PodChanged gone_pod(std::string node_id);

}  // namespace tiphys::controllers

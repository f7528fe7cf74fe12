// What users ask of the nodes of a workflow's run.
#pragma once

#include <string_view>

namespace tiphys::cluster {

/// On a workflow. JSON: [{"id", "fields": [[name, value], ...], "phase"?, "message"?, "outputParameters"?: {}}]: what
/// users ask of its nodes (resume, stop of nodes, node set). Each `id` is carried out once and its entry then removed.
inline constexpr std::string_view kNodeRequestsAnnotation = "tiphys.io/node-requests";
/// On a workflow that has ended and is to go on. JSON: {"restart": [node id, ...], "otherParameters": bool}. Gone once
/// its nodes have been made ready for it.
inline constexpr std::string_view kRetryAnnotation = "tiphys.io/retry";

}  // namespace tiphys::cluster

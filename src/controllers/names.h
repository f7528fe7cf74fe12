// Labels, annotations and names that Argo's tools read, and our own annotations beside them.
#pragma once

#include <string_view>

#include "cluster/node_requests.h"
#include "engine/config_maps.h"

namespace tiphys::controllers {

using engine::kConfigMapTypeLabel;

inline constexpr std::string_view kPhaseLabel = "workflows.argoproj.io/phase";
inline constexpr std::string_view kCompletedLabel = "workflows.argoproj.io/completed";
inline constexpr std::string_view kArchivingStatusLabel = "workflows.argoproj.io/workflow-archiving-status";
inline constexpr std::string_view kWorkflowLabel = "workflows.argoproj.io/workflow";
inline constexpr std::string_view kWorkflowTemplateLabel = "workflows.argoproj.io/workflow-template";
inline constexpr std::string_view kClusterWorkflowTemplateLabel = "workflows.argoproj.io/cluster-workflow-template";
/// On a CronWorkflow whose stop strategy has ended it.
inline constexpr std::string_view kCronCompletedLabel = "cronworkflows.argoproj.io/completed";
/// On a CronWorkflow: the schedules at its last run. A missed run is one of these.
inline constexpr std::string_view kLastUsedScheduleAnnotation = "cronworkflows.argoproj.io/last-used-schedule";
inline constexpr std::string_view kOnExitLabel = "workflows.argoproj.io/on-exit";
inline constexpr std::string_view kCacheConfigMapType = "Cache";
/// "agent" on the pod of a workflow's executor plugins.
inline constexpr std::string_view kComponentLabel = "workflows.argoproj.io/component";
inline constexpr std::string_view kAgentComponent = "agent";

inline constexpr std::string_view kNodeIdAnnotation = "workflows.argoproj.io/node-id";
inline constexpr std::string_view kNodeNameAnnotation = "workflows.argoproj.io/node-name";
/// On Events: what they tell of, and the node's start in nanoseconds.
inline constexpr std::string_view kNodeTypeAnnotation = "workflows.argoproj.io/node-type";
inline constexpr std::string_view kNodeStartTimeAnnotation = "workflows.argoproj.io/node-start-time";
inline constexpr std::string_view kWorkflowNameAnnotation = "workflows.argoproj.io/workflow-name";
inline constexpr std::string_view kWorkflowUidAnnotation = "workflows.argoproj.io/workflow-uid";
inline constexpr std::string_view kPodNameFormatAnnotation = "workflows.argoproj.io/pod-name-format";
inline constexpr std::string_view kDefaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

using cluster::kNodeRequestsAnnotation;
/// On a workflow. JSON list of ids: requests that have been carried out and whose entries are about to be removed.
inline constexpr std::string_view kNodeRequestsDoneAnnotation = "tiphys.io/node-requests-done";
using cluster::kRetryAnnotation;
/// On an object that a resource template created: "<workflow uid>/<node id>". Tells a repeated creation after a crash
/// from a name that somebody else has taken.
inline constexpr std::string_view kCreatedByAnnotation = "tiphys.io/created-by";

inline constexpr std::string_view kMainContainer = "main";
inline constexpr std::string_view kScriptPath = "/argo/staging/script";

}  // namespace tiphys::controllers

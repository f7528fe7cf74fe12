// Asking Argo's services, in this process or another's: one answer, or a stream of messages.
#pragma once

#include <memory>
#include <string>

#include "argo/call.h"

namespace tiphys::argo {

inline constexpr const char* kWorkflowService = "workflow.WorkflowService";
inline constexpr const char* kTemplateService = "workflowtemplate.WorkflowTemplateService";
inline constexpr const char* kClusterTemplateService = "clusterworkflowtemplate.ClusterWorkflowTemplateService";
inline constexpr const char* kCronService = "cronworkflow.CronWorkflowService";
inline constexpr const char* kArchiveService = "workflowarchive.ArchivedWorkflowService";
inline constexpr const char* kInfoService = "info.InfoService";
inline constexpr const char* kSyncService = "sync.SyncService";

/// A method that answers once. `done` may be called from inside.
void ask(Services& services, std::string service, std::string method, doc::Object request,
         cluster::Done<doc::Value> done);

struct StreamSink {
  std::move_only_function<void(doc::Value message)> on_message;
  /// The stream's end, or what broke it off. Nothing follows.
  std::move_only_function<void(Status)> on_end;
};

/// A method that streams. Ends it when destroyed, which the sink may do.
std::unique_ptr<cluster::Watch> listen(Services& services, std::string service, std::string method, doc::Object request,
                                       StreamSink sink);

}  // namespace tiphys::argo

#include "argo/workflow_service.h"

namespace tiphys::argo {

const Methods& workflow_methods() {
  static const Methods kMethods{{"CreateWorkflow", create_workflow},
                                {"GetWorkflow", get_workflow},
                                {"ListWorkflows", list_workflows},
                                {"WatchWorkflows", watch_workflows},
                                {"WatchEvents", watch_events},
                                {"DeleteWorkflow", delete_workflow},
                                {"RetryWorkflow", retry_workflow},
                                {"ResubmitWorkflow", resubmit_workflow},
                                {"ResumeWorkflow", resume_workflow},
                                {"SuspendWorkflow", suspend_workflow},
                                {"TerminateWorkflow", terminate_workflow},
                                {"StopWorkflow", stop_workflow},
                                {"SetWorkflow", set_workflow},
                                {"LintWorkflow", lint_workflow},
                                {"PodLogs", workflow_logs},
                                {"WorkflowLogs", workflow_logs},
                                {"SubmitWorkflow", submit_workflow}};
  return kMethods;
}

}  // namespace tiphys::argo

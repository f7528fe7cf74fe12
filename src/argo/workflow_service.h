// WorkflowService, in parts. For services alone.
#pragma once

#include "argo/work.h"

namespace tiphys::argo {

void create_workflow(const WorkPtr& work);
void submit_workflow(const WorkPtr& work);
void lint_workflow(const WorkPtr& work);
void resubmit_workflow(const WorkPtr& work);
/// The same of a workflow that is at hand.
void resubmit(const WorkPtr& work, const doc::Value& before);

void get_workflow(const WorkPtr& work);
void list_workflows(const WorkPtr& work);
void watch_workflows(const WorkPtr& work);
void watch_events(const WorkPtr& work);
void workflow_logs(const WorkPtr& work);

void delete_workflow(const WorkPtr& work);
void retry_workflow(const WorkPtr& work);
void resume_workflow(const WorkPtr& work);
void suspend_workflow(const WorkPtr& work);
void terminate_workflow(const WorkPtr& work);
void stop_workflow(const WorkPtr& work);
void set_workflow(const WorkPtr& work);

}  // namespace tiphys::argo

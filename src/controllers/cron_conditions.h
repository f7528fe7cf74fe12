// What a CronWorkflow's own expressions say: stopStrategy.expression and when.
#pragma once

#include "api/cron_workflow.h"
#include "expr/ambient.h"
#include "expr/go_time.h"

namespace tiphys::controllers {

/// What evaluation takes from outside.
struct CronAmbient {
  expr::Ambient ambient;
  expr::GoZone local;  ///< in which times are told
};

/// True when its stop strategy says that no more runs are to begin; errors are the original's.
Result<bool> wants_stop(const api::CronWorkflow& cron, const api::CronWorkflowStatus& status,
                        const CronAmbient& ambient);
/// True when a run may begin.
Result<bool> may_run(const api::CronWorkflow& cron, const api::CronWorkflowStatus& status, const CronAmbient& ambient);

}  // namespace tiphys::controllers

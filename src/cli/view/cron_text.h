// What `cron get` and `cron list` print. Forms: cmd/argo/commands/cron/util.go and list.go.
#pragma once

#include <span>
#include <string>

#include "api/cron_workflow.h"
#include "cli/view/style.h"
#include "cluster/cluster.h"
#include "expr/go_time.h"

namespace tiphys::cli {

/// Facts of one, a line each. `local` is the zone of schedules that name none.
std::string cron_workflow_text(const doc::Value& cron_workflow, const expr::GoZone& local, const Style& style,
                               Time now);

/// One line for each, below a heading.
std::string cron_workflow_table(std::span<const cluster::Object> cron_workflows, bool with_namespace,
                                const expr::GoZone& local, Time now);

}  // namespace tiphys::cli

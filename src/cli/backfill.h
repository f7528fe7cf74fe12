// Runs of a CronWorkflow at times that are past: workflows that create its workflows. Original:
// cmd/argo/commands/cron/backfill.go.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "doc/value.h"
#include "expr/go_time.h"

namespace tiphys::cli {

struct BackfillOptions {
  std::string name;      ///< of the backfill
  std::string argument;  ///< the parameter that gets a run's time
  bool parallel = false;
  std::size_t most = 1000;  ///< runs of one workflow
};

/// The times after `start` and up to `end` at which the CronWorkflow is due, as Go writes a time in the zone of
/// `start`; a schedule that names no zone goes by that one.
Result<std::vector<std::string>> backfill_times(const doc::Value& cron_workflow, const expr::GoTime& start,
                                                const expr::GoTime& end);

/// The workflows that create the runs. Without `parallel` it is one, whose runs follow each other; with it one for each
/// `most` of them. `now` is an RFC 3339 time.
std::vector<doc::Value> backfill_workflows(const doc::Value& cron_workflow, const std::vector<std::string>& times,
                                           const BackfillOptions& options, const std::string& now);

}  // namespace tiphys::cli

// What is to be done about a CronJob (k8s.io/kubernetes/pkg/controller/cronjob): a pure function of what there is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster.h"
#include "expr/go_time.h"

namespace tiphys::controllers::workloads {

struct CronJobPlan {
  struct Note {
    std::string_view type, reason;
    std::string message;
  };

  std::vector<cluster::Object> remove{};  ///< Jobs
  std::optional<doc::Value> create{};     ///< a Job, named by its time
  doc::Object status{};                   ///< without that Job, which comes in when it is made
  std::string scheduled{};                ///< its time, for status.lastScheduleTime
  std::optional<Time> look_again{};
  std::vector<Note> notes{};
};

/// `jobs` are those that it controls; `local` is the zone of one that names none.
CronJobPlan plan_cron_job(const doc::Value& cron, const std::vector<cluster::Object>& jobs, Time now,
                          const expr::GoZone& local);
/// Puts a Job of it into its status.
void add_active(doc::Object& status, const doc::Value& job, std::string_view scheduled);

}  // namespace tiphys::controllers::workloads

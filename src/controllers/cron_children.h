// The workflows of a CronWorkflow, and what follows from them for its status and history.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/cron_workflow.h"

namespace tiphys::controllers {

struct CronChild {
  std::string name, uid, cron_uid;
  std::uint64_t version = 0;  ///< resourceVersion
  /// When it was due, of one that bears the name of its time: all that a schedule began.
  std::optional<Time> scheduled;
  std::string phase;
  Time finished{};
  bool labelled = false;  ///< with its CronWorkflow's name: part of the history
  doc::Object reference;  ///< as status.active has it

  bool fulfilled() const { return phase == "Succeeded" || phase == "Failed" || phase == "Error"; }
};

/// Nothing when it belongs to no CronWorkflow.
std::optional<CronChild> read_cron_child(const doc::Value& workflow);

using CronChildren = std::map<std::string, CronChild>;  ///< by uid

/// "nightly-1700000000": the name is what keeps a run from beginning twice.
std::string cron_child_name(std::string_view cron, Time scheduled);

/// Brings the status up to date: those that have ended leave `active` and are counted, once; those that are not known
/// yet come in, with the time of their schedule. True when one was counted.
bool reconcile(api::CronWorkflowStatus& status, const CronChildren& children);

/// What goes beyond the history limits: the longest ended.
std::vector<CronChild> beyond_history(const api::CronWorkflow& cron, const CronChildren& children);

}  // namespace tiphys::controllers

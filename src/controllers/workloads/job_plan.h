// What is to be done about a Job, from what is known of it and its pods (k8s.io/kubernetes/pkg/controller/job).
//
// A pod has a finalizer until it is counted, so that none is lost when somebody deletes it. Its uid goes into
// status.uncountedTerminatedPods first, then its finalizer goes, then it is counted: one step a look. A crash between
// two of them counts nothing twice. The outcome is written before finalizers go, as an interim condition
// (SuccessCriteriaMet, FailureTarget), and becomes final (Complete, Failed) when everything is counted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

inline constexpr std::string_view kTrackingFinalizer = "batch.kubernetes.io/job-tracking";
inline constexpr std::string_view kCompletionIndex = "batch.kubernetes.io/job-completion-index";

struct JobPlan {
  struct Note {
    std::string_view type, reason;
    std::string message;
  };

  std::vector<doc::Value> create{};
  std::vector<cluster::Object> remove{};
  /// The removed ones were never meant to be counted: their finalizer goes along.
  bool remove_uncounted = false;
  doc::Object status{};
  /// Their finalizers go once the status is written.
  std::vector<cluster::Object> release{};
  std::optional<Time> look_again{};
  std::vector<Note> notes{};
};

bool has_tracking_finalizer(const doc::Value& pod);
bool job_finished(const doc::Value& job);
/// Of one that has not finished.
JobPlan plan_job(const doc::Value& job, const std::vector<cluster::Object>& pods, Time now);
/// When a finished one is to be deleted (spec.ttlSecondsAfterFinished).
std::optional<Time> job_expiry(const doc::Value& job);

}  // namespace tiphys::controllers::workloads

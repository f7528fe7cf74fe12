// Argo's CronWorkflow kind (argoproj.io/v1alpha1). Names and meanings:
// pkg/apis/workflow/v1alpha1/cron_workflow_types.go.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/parse.h"
#include "api/workflow.h"

namespace tiphys::api {

/// Types of conditions: the object is wrong; the last run could not be begun.
inline constexpr std::string_view kSpecError = "SpecError";
inline constexpr std::string_view kSubmissionError = "SubmissionError";

struct CronWorkflowStatus {
  struct Condition {
    std::string type, status, message;
    bool operator==(const Condition&) const = default;
  };

  /// References (kind, apiVersion, name, namespace, uid, resourceVersion) to workflows that have not ended, oldest
  /// first.
  doc::Array active;
  Time last_scheduled{};
  std::vector<Condition> conditions;
  std::int64_t succeeded = 0, failed = 0;  ///< workflows that ended so
  std::string phase;                       ///< "", Active, Stopped

  void set_condition(std::string_view type, std::string message);
  void clear_condition(std::string_view type);
  bool operator==(const CronWorkflowStatus&) const = default;
};

/// Lenient: what is missing or no status is the status of one that never ran.
CronWorkflowStatus read_cron_workflow_status(const doc::Value& cron_workflow);
/// As a merge patch holds it: null for what is not there.
doc::Object to_json(const CronWorkflowStatus& status);

struct CronWorkflow {
  enum class Concurrency { kAllow, kForbid, kReplace };

  std::string name, generate_name, ns, uid;
  Time created{};
  std::map<std::string, std::string> labels, annotations;
  std::vector<std::string> schedules;
  std::string timezone;  ///< an IANA name; "": the plane's local zone
  Concurrency concurrency = Concurrency::kAllow;
  bool suspend = false;
  std::optional<std::int64_t> starting_deadline_seconds;
  std::optional<std::int64_t> successful_jobs_history_limit, failed_jobs_history_limit;
  std::optional<std::string> stop_expression;  ///< stopStrategy.expression: expr-lang
  std::string when;                            ///< govaluate, after substitution
  /// The workflow that it makes, without a name of its own.
  Workflow workflow;
  CronWorkflowStatus status;
  doc::Shared document;

  /// The schedules as they are followed: with the time zone in front of each.
  std::vector<std::string> zoned_schedules() const;
  /// The schedules, joined by commas. With time zones it is what the annotation of the last used schedule holds.
  std::string schedules_text(bool zoned) const;
};

/// Reads a CronWorkflow as strictly as parse_workflow reads the other kinds.
CronWorkflow parse_cron_workflow(const doc::Value& document, std::vector<Finding>& findings);

/// Schedules, time zone, limits, expressions, and the workflow that it makes. Original: CronWorkflow of
/// workflow/validate/validate.go.
void validate_cron_workflow(const CronWorkflow& cron, std::vector<Finding>& findings);

/// A workflow of a CronWorkflow's spec, owned by it; `scheduled` is an RFC 3339 time. Without a name one is generated.
doc::Value make_workflow(const doc::Value& cron_workflow, std::string_view name, std::string_view scheduled);

/// The CronWorkflow with the plane's workflowDefaults in its workflow, by which that one is judged.
Result<doc::Value> cron_with_workflow_defaults(const doc::Value& cron_workflow, const doc::Value& defaults);

/// Findings of that workflow as findings of the CronWorkflow: those of its spec, at their place there.
std::vector<Finding> place_in_cron_workflow(std::vector<Finding> findings);

/// Whatever kind the document says it is of: reads and validates it, without what is known only of templates elsewhere.
void check_document(const doc::Value& document, std::vector<Finding>& findings);

inline constexpr std::string_view kCronWorkflowLabel = "workflows.argoproj.io/cron-workflow";
inline constexpr std::string_view kScheduledTimeAnnotation = "workflows.argoproj.io/scheduled-time";

}  // namespace tiphys::api

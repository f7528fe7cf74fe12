#include "api/cron_workflow.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/fields.h"
#include "api/join.h"
#include "base/strings.h"

namespace tiphys::api {
namespace {

constexpr std::string_view kWorkflowSpec = "/spec/workflowSpec";
constexpr std::string_view kInstanceLabel = "workflows.argoproj.io/controller-instanceid";
/// Labels that go over to the workflows, beside that of the controller's instance.
constexpr std::string_view kCreatorLabels[] = {"workflows.argoproj.io/creator", "workflows.argoproj.io/creator-email",
                                               "workflows.argoproj.io/creator-preferred-username"};

void read_policy(const Place& place, CronWorkflow& out) {
  std::string text;
  read(place, text);
  const auto known = std::ranges::find(kConcurrencyPolicies, text);
  if (known != std::end(kConcurrencyPolicies)) {
    out.concurrency = static_cast<CronWorkflow::Concurrency>(known - std::begin(kConcurrencyPolicies));
  } else if (place.value().is_string() && !text.empty()) {
    const std::vector<std::string> policies(std::begin(kConcurrencyPolicies), std::end(kConcurrencyPolicies));
    place.error(fmt::format("'{}' is not a valid concurrencyPolicy: use Allow, Forbid or Replace{}", text,
                            did_you_mean(text, policies)));
  }
}

constexpr Field<Unread> kWorkflowMetadataFields[] = {
    {"labels", Handling::kRead, check_as<std::map<std::string, std::string>>, "Labels of the workflows.", &kStringMap,
     "CronWorkflowControllerTest.BeginsAWorkflowAtEachTime"},
    {"annotations", Handling::kRead, check_as<std::map<std::string, std::string>>, "Annotations of the workflows.",
     &kStringMap, "CronWorkflowControllerTest.BeginsAWorkflowAtEachTime"},
    {"finalizers", Handling::kRead, check_as<std::vector<std::string>>, "Finalizers of the workflows.", &kStrings},
};
constexpr FieldTable kWorkflowMetadataTable("CronWorkflowMetadata", kWorkflowMetadataFields);

struct StopStrategy {
  std::string expression;
};
constexpr Field<StopStrategy> kStopStrategyFields[] = {
    field<&StopStrategy::expression>("expression",
                                     "expr-lang over cronworkflow.succeeded and the like: once true, no more runs.",
                                     "CronWorkflowControllerTest.StopsByItsExpression"),
};
constexpr FieldTable kStopStrategyTable("StopStrategy", kStopStrategyFields);

void read_stop_strategy(const Place& place, CronWorkflow& out) {
  StopStrategy strategy;
  read_object<StopStrategy>(place, strategy, kStopStrategyFields);
  if (strategy.expression.empty() && place.value().is_object()) place.error(place.name() + ".expression is required");
  out.stop_expression = std::move(strategy.expression);
}

constexpr Field<CronWorkflow> kSpecFields[] = {
    field<&CronWorkflow::schedules>("schedules", "When: \"0 8 * * MON-FRI\", \"@daily\", \"@every 1h\".",
                                    "CronWorkflowControllerTest.FollowsSeveralSchedulesAndZones"),
    field<&CronWorkflow::timezone>("timezone", "The zone of the schedules, such as Europe/Berlin; else the plane's.",
                                   "CronWorkflowControllerTest.ATimeZoneHoldsForAllSchedules"),
    {"concurrencyPolicy", Handling::kRead, read_policy, "What happens while an earlier workflow still runs.",
     &kChoice<kConcurrencyPolicies>, "CronWorkflowControllerTest.ForbidsOrReplacesWhatRuns"},
    field<&CronWorkflow::suspend>("suspend", "Begins no more runs.",
                                  "CronWorkflowControllerTest.ASuspendedOneBeginsNothing"),
    field<&CronWorkflow::starting_deadline_seconds>(
        "startingDeadlineSeconds", "How late a missed run may begin; without it, it is left out.",
        "CronWorkflowControllerTest.OfMissedRunsTheLatestIsCaughtUpWithinItsDeadline"),
    field<&CronWorkflow::successful_jobs_history_limit>("successfulJobsHistoryLimit",
                                                        "How many that succeeded are kept; 3 by default.",
                                                        "CronWorkflowControllerTest.KeepsSomeOfItsHistory"),
    field<&CronWorkflow::failed_jobs_history_limit>("failedJobsHistoryLimit",
                                                    "How many that failed are kept; 1 by default.",
                                                    "CronWorkflowControllerTest.KeepsSomeOfItsHistory"),
    {"stopStrategy", Handling::kRead, read_stop_strategy, "Ends the schedules for good.", &kObject<kStopStrategyTable>,
     "CronWorkflowControllerTest.StopsByItsExpression"},
    field<&CronWorkflow::when>("when", "A run begins only when this holds: \"{{= ... }} == true\".",
                               "CronWorkflowControllerTest.RunsWhenItsConditionHolds"),
    {"workflowMetadata", Handling::kRead,
     [](const Place& place, CronWorkflow&) { check_object(place, kWorkflowMetadataFields); },
     "Labels and annotations of the workflows.", &kObject<kWorkflowMetadataTable>,
     "CronWorkflowControllerTest.BeginsAWorkflowAtEachTime"},
    {"workflowSpec", Handling::kRead, [](const Place& place, CronWorkflow&) { expect_object(place); },
     "The spec of the workflows.", &kObject<kSpecTable>, "CronWorkflowControllerTest.BeginsAWorkflowAtEachTime"},
};
constexpr FieldTable kCronSpecTable("CronWorkflowSpec", kSpecFields);

void read_own_metadata(const Place& place, CronWorkflow& out) {
  Workflow metadata;
  read_metadata(place, metadata);
  out.name = std::move(metadata.name);
  out.generate_name = std::move(metadata.generate_name);
  out.ns = std::move(metadata.ns);
  out.uid = std::move(metadata.uid);
  out.created = metadata.created;
  out.labels = std::move(metadata.labels);
  out.annotations = std::move(metadata.annotations);
}

constexpr Field<CronWorkflow> kFields[] = {
    {"apiVersion", Handling::kCarry, nullptr, "argoproj.io/v1alpha1", &kString},
    {"kind", Handling::kCarry, nullptr, "CronWorkflow", &kString},
    {"metadata", Handling::kRead, read_own_metadata, "Name, labels, annotations.", &kObject<kMetadataTable>},
    {"spec", Handling::kRead,
     [](const Place& place, CronWorkflow& out) { read_object<CronWorkflow>(place, out, kSpecFields); },
     "What is to run, and when.", &kObject<kCronSpecTable>},
    {"status", Handling::kCarry, nullptr, "The last run and those that run now; written by the engine.", &kEmptyObject},
};
constexpr Shape kCronWorkflowShape = kObject<kCronWorkflowTable>;

/// Copies the members of an object into another.
void merge(const doc::Value* members, doc::Object& into) {
  if (!members || !members->is_object()) return;
  for (const auto& [key, value] : members->get_object()) into[key] = value;
}

doc::Object owner_of(const doc::Value& cron_workflow) {
  return {{"apiVersion", "argoproj.io/v1alpha1"},
          {"kind", "CronWorkflow"},
          {"name", doc::find_string(cron_workflow, "metadata", "name")},
          {"uid", doc::find_string(cron_workflow, "metadata", "uid")},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

}  // namespace

constexpr FieldTable kCronWorkflowTable("CronWorkflow", kFields);

std::vector<std::string> CronWorkflow::zoned_schedules() const {
  std::vector<std::string> zoned = schedules;
  if (timezone.empty()) return zoned;
  for (std::string& schedule : zoned) schedule = fmt::format("CRON_TZ={} {}", timezone, schedule);
  return zoned;
}

std::string CronWorkflow::schedules_text(bool zoned) const {
  return join(zoned ? zoned_schedules() : schedules, ",");
}

CronWorkflow parse_cron_workflow(const doc::Value& document, std::vector<Finding>& findings) {
  CronWorkflow cron;
  cron.document = std::make_shared<const doc::Value>(document);
  Reading reading{findings, cron.document, {}, &kCronWorkflowShape};
  const Place place(reading, *cron.document);
  if (!expect_object(place) || !check_api_version(place)) return cron;
  read_object<CronWorkflow>(place, cron, kFields);
  const doc::Value* spec = doc::find(document, "spec");
  const doc::Value* of_workflows = doc::find(document, "spec", "workflowSpec");
  if (!spec || spec->is_null()) {
    (spec ? place.member("spec", *spec) : place).error("spec is required");
  } else if (spec->is_object() && (!of_workflows || of_workflows->is_null())) {
    place.member("spec", *spec).key_error("spec.workflowSpec is required: the spec of the workflows to run");
  }
  if (any_error(findings)) return cron;
  cron.status = read_cron_workflow_status(document);
  std::vector<Finding> of_workflow;
  cron.workflow = parse_workflow(make_workflow(document, "", format_rfc3339(cron.created)), of_workflow);
  std::ranges::move(place_in_cron_workflow(std::move(of_workflow)), std::back_inserter(findings));
  return cron;
}

doc::Value make_workflow(const doc::Value& cron_workflow, std::string_view name, std::string_view scheduled) {
  const std::string_view cron_name = doc::find_string(cron_workflow, "metadata", "name");
  doc::Object metadata;
  if (name.empty()) {
    metadata["generateName"] = fmt::format("{}-", cron_name);
  } else {
    metadata["name"] = name;
  }
  metadata["namespace"] = doc::find_string(cron_workflow, "metadata", "namespace");
  doc::Object labels, annotations{{kScheduledTimeAnnotation, scheduled}};
  if (const doc::Value* own = doc::find(cron_workflow, "metadata", "labels"); own && own->is_object()) {
    const auto take_over = [&](std::string_view key) {
      if (const doc::Value* value = own->get_object().if_contains(key)) labels[key] = *value;
    };
    if (!name.empty()) std::ranges::for_each(kCreatorLabels, take_over);
    take_over(kInstanceLabel);
  }
  labels[kCronWorkflowLabel] = cron_name;
  merge(doc::find(cron_workflow, "spec", "workflowMetadata", "labels"), labels);
  merge(doc::find(cron_workflow, "spec", "workflowMetadata", "annotations"), annotations);
  metadata["labels"] = std::move(labels);
  metadata["annotations"] = std::move(annotations);
  if (const doc::Value* finalizers = doc::find(cron_workflow, "spec", "workflowMetadata", "finalizers")) {
    metadata["finalizers"] = *finalizers;
  }
  metadata["ownerReferences"] = doc::Array{owner_of(cron_workflow)};
  const doc::Value* spec = doc::find(cron_workflow, "spec", "workflowSpec");
  return doc::Object{{"apiVersion", "argoproj.io/v1alpha1"},
                     {"kind", "Workflow"},
                     {"metadata", std::move(metadata)},
                     {"spec", spec ? *spec : doc::Value(doc::Object())}};
}

Result<doc::Value> cron_with_workflow_defaults(const doc::Value& cron_workflow, const doc::Value& defaults) {
  doc::Value whole = cron_workflow;
  const doc::Value* spec = doc::find(cron_workflow, "spec", "workflowSpec");
  if (!spec || !spec->is_object()) return whole;
  TIPHYS_TRY(const doc::Value workflow, with_workflow_defaults(doc::Object{{"spec", *spec}}, defaults));
  whole.at("spec").get_object()["workflowSpec"] = workflow.at("spec");
  return whole;
}

std::vector<Finding> place_in_cron_workflow(std::vector<Finding> findings) {
  // The name and the labels are the CronWorkflow's, which are checked there.
  std::erase_if(findings, [](const Finding& finding) { return !finding.pointer.starts_with("/spec"); });
  for (Finding& finding : findings) finding.pointer.replace(0, std::string_view("/spec").size(), kWorkflowSpec);
  return findings;
}

void check_document(const doc::Value& document, std::vector<Finding>& findings) {
  if (doc::find_string(document, "kind") == "CronWorkflow") {
    const CronWorkflow cron = parse_cron_workflow(document, findings);
    if (!any_error(findings)) validate_cron_workflow(cron, findings);
    return;
  }
  const Workflow workflow = parse_workflow(document, findings);
  if (!any_error(findings)) validate_workflow(workflow, findings);
}

}  // namespace tiphys::api

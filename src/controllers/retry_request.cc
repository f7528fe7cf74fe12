#include "controllers/retry_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/retry_annotation.h"
#include "controllers/expiry.h"
#include "controllers/names.h"
#include "doc/yaml.h"

namespace tiphys::controllers {
namespace {

Status check_phase(std::string_view phase, bool chosen) {
  if (phase == "Failed" || phase == "Error") return {};
  if (phase != "Succeeded") {
    return fail(Code::kFailedPrecondition, fmt::format("Cannot retry a workflow in phase {}", phase));
  }
  if (chosen) return {};
  return fail(Code::kFailedPrecondition,
              "To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector");
}

void set_incomplete(doc::Object& status) {
  doc::Value& conditions = status["conditions"];
  if (!conditions.is_array()) conditions.emplace_array();
  doc::Array& list = conditions.get_array();
  const auto known =
      std::ranges::find_if(list, [](const doc::Value& each) { return doc::find_string(each, "type") == "Completed"; });
  doc::Value& condition = known == list.end() ? list.emplace_back(doc::Object{}) : *known;
  condition = doc::Object{{"type", "Completed"}, {"status", "False"}};
}

void lift_limits(doc::Object& spec) {
  spec.erase("shutdown");
  const doc::Value* deadline = spec.if_contains("activeDeadlineSeconds");
  // Once a way to terminate.
  if (deadline && doc::scalar_text(*deadline) == "0") spec.erase("activeDeadlineSeconds");
}

}  // namespace

Status ask_for_retry(doc::Value& workflow, const RetryRequest& request, bool chosen, Time now) {
  TIPHYS_CHECK_OK(check_phase(doc::find_string(workflow, "status", "phase"), chosen));
  doc::Object& root = workflow.as_object();
  doc::Object& metadata = doc::ensure_object(root, "metadata");
  doc::Object& labels = doc::ensure_object(metadata, "labels");
  for (const std::string_view label : {kCompletedLabel, kArchivingStatusLabel, kExpiresLabel}) labels.erase(label);
  doc::Object& annotations = doc::ensure_object(metadata, "annotations");
  // What was asked of nodes that have ended since is void.
  annotations.erase(kNodeRequestsAnnotation);
  annotations.erase(kNodeRequestsDoneAnnotation);
  annotations[kRetryAnnotation] = cluster::retry_annotation(
      doc::Array(request.restarted.begin(), request.restarted.end()), request.other_parameters);

  doc::Object& status = doc::ensure_object(root, "status");
  for (const char* field : {"phase", "message", "finishedAt", "persistentVolumeClaims"}) status.erase(field);
  status["startedAt"] = format_rfc3339(now);
  set_incomplete(status);
  lift_limits(doc::ensure_object(root, "spec"));
  if (doc::Value* stored = status.if_contains("storedWorkflowTemplateSpec"); stored && stored->is_object()) {
    stored->get_object().erase("shutdown");
  }
  return {};
}

bool retry_asked(const doc::Value& workflow) {
  return !doc::find_string(workflow, "metadata", "annotations", kRetryAnnotation).empty();
}

Result<RetryRequest> parse_retry_request(const doc::Value& workflow) {
  const auto wrong = [](std::string_view what) {
    return fail(Code::kInvalidArgument, fmt::format("annotation {}: {}", kRetryAnnotation, what));
  };
  const auto parsed = doc::parse_json(doc::find_string(workflow, "metadata", "annotations", kRetryAnnotation));
  if (!parsed) return wrong(parsed.error().message);
  if (!parsed->is_object()) return wrong("it is no map");
  RetryRequest request;
  if (const doc::Value* ids = doc::find(*parsed, "restart")) {
    if (!ids->is_array()) return wrong("restart is no list");
    for (const doc::Value& id : ids->get_array()) {
      if (!id.is_string()) return wrong("restart has something that is no id");
      request.restarted.emplace(std::string_view(id.get_string()));
    }
  }
  const doc::Value* parameters = doc::find(*parsed, "otherParameters");
  request.other_parameters = parameters && parameters->is_bool() && parameters->get_bool();
  return request;
}

}  // namespace tiphys::controllers

#include "controllers/workflow_status.h"

#include <fmt/format.h>

#include <algorithm>

#include "controllers/names.h"

namespace tiphys::controllers {
namespace {

doc::Value text_or_null(const std::string& text) {
  return text.empty() ? doc::Value(nullptr) : doc::Value(text);
}

doc::Value time_or_null(Time time) {
  return text_or_null(format_rfc3339(time));
}

/// Of one that ends as it begins no pod is asked for: `pod_running` is nothing then.
doc::Array conditions(const engine::RunStatus& status, std::optional<bool> pod_running, bool went_on) {
  doc::Array list;
  if (pod_running) list.push_back(doc::Object{{"type", "PodRunning"}, {"status", *pod_running ? "True" : "False"}});
  if (!status.metrics_error.empty()) {
    list.push_back(doc::Object{{"type", "MetricsError"}, {"status", "True"}, {"message", status.metrics_error}});
  }
  if (status.finished() || went_on) {
    list.push_back(doc::Object{{"type", "Completed"}, {"status", status.finished() ? "True" : "False"}});
  }
  return list;
}

std::string metrics_error(const doc::Value& status) {
  const doc::Value* list = doc::find(status, "conditions");
  if (!list || !list->is_array()) return "";
  for (const doc::Value& condition : list->get_array()) {
    if (doc::find_string(condition, "type") == "MetricsError")
      return std::string(doc::find_string(condition, "message"));
  }
  return "";
}

doc::Value outputs_document(const engine::RunStatus& status) {
  return status.outputs && !status.outputs->empty() ? api::to_document(*status.outputs) : doc::Value(nullptr);
}

}  // namespace

PublishedStatus PublishedStatus::add_changes(const engine::RunStatus& now, bool now_pod_running,
                                             cluster::WorkflowStatusUpdate& update) const {
  doc::Object& fields = update.fields;
  if (!any) update.annotations[kPodNameFormatAnnotation] = "v2";
  if (!any || now.phase != status.phase) {
    const std::string_view phase = engine::phase_name(now.phase);
    fields["phase"] = phase;
    update.labels[kPhaseLabel] = phase;
    update.labels[kCompletedLabel] = now.finished() ? "true" : "false";
  }
  if (!any || now.started_at != status.started_at) fields["startedAt"] = time_or_null(now.started_at);
  if (!any || now.finished_at != status.finished_at) fields["finishedAt"] = time_or_null(now.finished_at);
  if (!any || now.progress != status.progress) fields["progress"] = now.progress;
  if (now.resources_duration != status.resources_duration) {
    doc::Object& durations = fields["resourcesDuration"].emplace_object();
    for (const auto& [name, seconds] : now.resources_duration) durations[name] = seconds;
  }
  if (now.message != status.message) fields["message"] = text_or_null(now.message);
  if (!any || now_pod_running != pod_running || now.finished() != status.finished() ||
      now.metrics_error != status.metrics_error) {
    const bool no_pods = status.phase == engine::RunStatus::Phase::kUnset && now.finished();
    fields["conditions"] = conditions(now, no_pods ? std::nullopt : std::optional(now_pod_running), went_on);
  }
  if (now.synchronization != status.synchronization) {
    fields["synchronization"] =
        now.synchronization.empty() ? doc::Value(nullptr) : api::to_document(now.synchronization);
  }
  if (doc::Value outputs = outputs_document(now); outputs != outputs_document(status)) {
    fields["outputs"] = std::move(outputs);
  }
  update.completed = now.finished();
  return {true, now, now_pod_running, went_on};
}

cluster::WorkflowStatusUpdate postponed_status() {
  const std::string_view phase = engine::phase_name(engine::RunStatus::Phase::kPending);
  cluster::WorkflowStatusUpdate update;
  update.fields = {{"phase", phase}, {"message", kPostponed}};
  update.labels = {{kPhaseLabel, phase}, {kCompletedLabel, "false"}};
  return update;
}

bool has_begun(const doc::Value& workflow) {
  return !doc::find_string(workflow, "status", "phase").empty() &&
         doc::find_string(workflow, "status", "message") != kPostponed;
}

bool has_completed_condition(const doc::Value& workflow) {
  const doc::Value* list = doc::find(workflow, "status", "conditions");
  return list && list->is_array() && std::ranges::any_of(list->get_array(), [](const doc::Value& condition) {
           return doc::find_string(condition, "type") == "Completed";
         });
}

Result<engine::RunStatus> read_run_status(const doc::Value& workflow) {
  engine::RunStatus status;
  const doc::Value* document = doc::find(workflow, "status");
  if (!document) return status;
  const std::string_view phase = doc::find_string(*document, "phase");
  if (const std::optional<engine::RunStatus::Phase> known = engine::parse_phase(phase)) {
    status.phase = *known;
  } else {
    return fail(Code::kDataLoss, fmt::format("the workflow's phase \"{}\" is none", phase));
  }
  status.message = doc::find_string(*document, "message");
  if (const std::string_view progress = doc::find_string(*document, "progress"); !progress.empty()) {
    status.progress = progress;
  }
  status.resources_duration = api::read_resources_duration(doc::find(*document, "resourcesDuration"));
  status.metrics_error = metrics_error(*document);
  status.started_at = parse_rfc3339(doc::find_string(*document, "startedAt")).value_or(Time{});
  status.finished_at = parse_rfc3339(doc::find_string(*document, "finishedAt")).value_or(Time{});
  if (const doc::Value* locks = doc::find(*document, "synchronization"); locks && locks->is_object()) {
    TIPHYS_TRY(status.synchronization, api::parse_synchronization_status(*locks));
  }
  if (const doc::Value* outputs = doc::find(*document, "outputs"); outputs && outputs->is_object()) {
    TIPHYS_TRY(status.outputs, api::parse_outputs(*outputs));
  }
  return status;
}

Result<std::vector<api::NodeStatus>> read_nodes(const doc::Value& workflow) {
  std::vector<api::NodeStatus> nodes;
  const doc::Value* document = doc::find(workflow, "status", "nodes");
  if (!document || !document->is_object()) return nodes;
  nodes.reserve(document->get_object().size());
  for (const auto& [id, value] : document->get_object()) {
    Result<api::NodeStatus> node = api::parse_node_status(value);
    if (!node) return std::unexpected(node.error().in(fmt::format("node {}", std::string_view(id))));
    nodes.push_back(std::move(*node));
  }
  return nodes;
}

}  // namespace tiphys::controllers

#include "objects/node_changes.h"

#include <algorithm>
#include <iterator>

#include "api/node_status.h"
#include "base/random.h"
#include "cluster/retry_annotation.h"

namespace tiphys::objects {
namespace {

const doc::Object* nodes_of(const doc::Value& workflow) {
  const doc::Value* nodes = doc::find(workflow, "status", "nodes");
  return nodes ? nodes->if_object() : nullptr;
}

bool is_suspended(const doc::Value& node) {
  return doc::find_string(node, "type") == "Suspend";
}

/// The value of an output parameter; null when it has none.
doc::Value output_value(const doc::Value& node, std::string_view name) {
  const doc::Value* list = doc::find(node, "outputs", "parameters");
  if (!list || !list->is_array()) return nullptr;
  for (const doc::Value& parameter : list->get_array()) {
    const doc::Value* value = doc::find_string(parameter, "name") == name ? doc::find(parameter, "value") : nullptr;
    if (value) return *value;
  }
  return nullptr;
}

doc::Object changed_outputs(const doc::Value& before, const doc::Value& after) {
  doc::Object changed;
  const doc::Value* list = doc::find(after, "outputs", "parameters");
  if (!list || !list->is_array()) return changed;
  for (const doc::Value& parameter : list->get_array()) {
    const std::string_view name = doc::find_string(parameter, "name");
    const doc::Value* value = doc::find(parameter, "value");
    if (value && !value->is_null() && *value != output_value(before, name)) changed[name] = *value;
  }
  return changed;
}

/// Null: nothing is asked of it.
doc::Value request_for(std::string_view id, const doc::Value& before, const doc::Value& after) {
  const std::string_view phase = doc::find_string(after, "phase");
  const bool ends = phase != doc::find_string(before, "phase");
  doc::Object outputs = changed_outputs(before, after);
  if (doc::find_string(before, "phase") != "Running" || (!ends && outputs.empty())) return nullptr;
  SystemRandom random;
  doc::Object request{{"id", make_uid(random)}, {"fields", doc::Array{doc::Array{"id", id}}}};
  if (ends) request["phase"] = phase;
  const std::string_view message = doc::find_string(after, "message");
  if (!message.empty() && message != doc::find_string(before, "message")) request["message"] = message;
  if (!outputs.empty()) request["outputParameters"] = std::move(outputs);
  return request;
}

void append(doc::Value& workflow, doc::Array requests) {
  doc::Object& annotations = doc::ensure_object(doc::ensure_object(workflow.as_object(), "metadata"), "annotations");
  const std::string_view waiting =
      doc::find_string(workflow, "metadata", "annotations", cluster::kNodeRequestsAnnotation);
  // What cannot be read will not be carried out either.
  const auto parsed = doc::parse_json(waiting);
  doc::Array all = parsed && parsed->is_array() ? parsed->get_array() : doc::Array();
  std::ranges::move(requests, std::back_inserter(all));
  annotations[cluster::kNodeRequestsAnnotation] = doc::to_json(doc::Value(std::move(all)));
}

bool shows_suspended_nodes(const doc::Value& workflow) {
  const doc::Object* nodes = nodes_of(workflow);
  return nodes && std::ranges::any_of(*nodes, [](const auto& node) { return is_suspended(node.value()); });
}

/// As it is written by who takes the phase away and does not ask for a retry himself.
bool is_without_phase(const doc::Value& workflow) {
  return doc::find(workflow, "status") && doc::find_string(workflow, "status", "phase").empty() &&
         doc::find_string(workflow, "metadata", "annotations", cluster::kRetryAnnotation).empty();
}

void ask_for_node_changes(const doc::Value& before, doc::Value& workflow) {
  const doc::Object* old = nodes_of(before);
  if (!old || !nodes_of(workflow)) return;
  doc::Array requests;
  for (const auto& [id, after] : *nodes_of(workflow)) {
    const doc::Value* node = old->if_contains(id);
    if (!node || !is_suspended(*node) || !is_suspended(after)) continue;
    doc::Value request = request_for(id, *node, after);
    if (!request.is_null()) requests.push_back(std::move(request));
  }
  if (!requests.empty()) append(workflow, std::move(requests));
}

void ask_for_retry(const doc::Value& before, doc::Value& workflow) {
  const doc::Object* old = nodes_of(before);
  const doc::Object* kept = nodes_of(workflow);
  doc::Array restarted;
  if (old) {
    for (const auto& [id, node] : *old) {
      if (!kept || !kept->contains(id)) restarted.emplace_back(id);
    }
  }
  const auto arguments = [](const doc::Value& of) { return doc::find(of, "spec", "arguments"); };
  const doc::Value* then = arguments(before);
  const doc::Value* now = arguments(workflow);
  const bool other_parameters = (then && now) ? *then != *now : then != now;
  doc::Object& annotations = doc::ensure_object(doc::ensure_object(workflow.as_object(), "metadata"), "annotations");
  // What was asked of nodes that have ended since is void.
  annotations.erase(cluster::kNodeRequestsAnnotation);
  annotations[cluster::kRetryAnnotation] = cluster::retry_annotation(std::move(restarted), other_parameters);
}

}  // namespace

bool may_ask(const doc::Value& workflow) {
  return shows_suspended_nodes(workflow) || is_without_phase(workflow);
}

void ask_for_changes(const doc::Value& before, doc::Value& workflow) {
  const auto phase = api::parse_node_phase(doc::find_string(before, "status", "phase"));
  const bool has_ended = phase && api::fulfilled(*phase);
  if (has_ended && is_without_phase(workflow)) return ask_for_retry(before, workflow);
  ask_for_node_changes(before, workflow);
}

}  // namespace tiphys::objects

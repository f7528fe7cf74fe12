// The workflow's own variables and outputs.
#include <fmt/format.h>

#include <algorithm>

#include "engine/artifacts.h"
#include "engine/creation_times.h"
#include "engine/machine.h"

namespace tiphys::engine {
namespace {

void set_map(const std::string& name, const std::map<std::string, std::string>& values, expr::Scope& scope) {
  doc::Object object;
  for (const auto& [key, value] : values) {
    object.emplace(key, value);
    scope.set(name + "." + key, value);
  }
  const std::string json = values.empty() ? "null" : doc::to_json(object);
  scope.set(name, json);
  scope.set(name + ".json", json);
}

}  // namespace

void Machine::set_globals() {
  const api::WorkflowSpec& spec = workflow_.spec;
  globals_.set("workflow.name", workflow_.name);
  globals_.set("workflow.namespace", workflow_.ns);
  globals_.set("workflow.uid", workflow_.uid);
  globals_.set("workflow.mainEntrypoint", spec.entrypoint);
  globals_.set("workflow.serviceAccountName", spec.service_account_name);
  if (spec.priority) globals_.set("workflow.priority", std::to_string(*spec.priority));
  if (const auto scheduled = workflow_.annotations.find("workflows.argoproj.io/scheduled-time");
      scheduled != workflow_.annotations.end()) {
    globals_.set("workflow.scheduledTime", scheduled->second);
  }
  set_creation_times(workflow_.created, globals_);
  set_map("workflow.labels", workflow_.labels, globals_);
  set_map("workflow.annotations", workflow_.annotations, globals_);
  auto written = spec.arguments;
  for (api::Parameter& parameter : written.parameters) {
    // What a ConfigMap gave is not what the manifest says.
    if (parameter.value_from && parameter.value_from->config_map) parameter.value.reset();
  }
  const doc::Value arguments = api::to_document(written);
  const doc::Value* parameters = doc::find(arguments, "parameters");
  const std::string json = parameters ? doc::to_json(*parameters) : "null";
  globals_.set("workflow.parameters", json);
  globals_.set("workflow.parameters.json", json);
  for (const api::Parameter& parameter : spec.arguments.parameters) {
    if (parameter.value) {
      globals_.set("workflow.parameters." + parameter.name, *parameter.value);
    } else if (parameter.value_from && parameter.value_from->default_value) {
      globals_.set("workflow.parameters." + parameter.name, *parameter.value_from->default_value);
    }
  }
  globals_.set("workflow.status", std::string(phase_name(status_.phase)));
  globals_.set("workflow.duration", "0.000000");
}

const expr::Scope& Machine::globals() {
  if (duration_at_ != now_) {
    duration_at_ = now_;
    const std::chrono::duration<double> elapsed =
        status_.started_at == Time{} ? Duration(0) : now_ - status_.started_at;
    globals_.set("workflow.duration", fmt::format("{:.6f}", elapsed.count()));
  }
  return globals_;
}

/// workflow.failures: the list as JSON, quoted once more.
std::string Machine::failed_nodes() const {
  std::vector<NodeIndex> failed;
  for (NodeIndex index = 0; index < nodes_.size(); ++index) {
    if (nodes_[index].failed_or_error()) failed.push_back(index);
  }
  std::ranges::sort(failed, {}, [&](NodeIndex index) {
    return std::pair<Time, std::string_view>(nodes_[index].started_at, nodes_[index].name);
  });
  if (failed.empty()) return "\"null\"";
  doc::Array list;
  for (const NodeIndex index : failed) {
    const api::NodeStatus node = status_of(index);
    list.push_back(doc::Object{{"displayName", node.display_name},
                               {"message", node.message},
                               {"templateName", api::template_of(node)},
                               {"phase", std::string(api::node_phase_name(node.phase))},
                               {"podName", pod_name(workflow_.name, node.name, api::template_of(node), node.id)},
                               {"finishedAt", format_rfc3339(node.finished_at)}});
  }
  return doc::to_json(doc::Value(doc::to_json(list)));
}

void Machine::export_globals(const CompiledTemplate* plan, const api::Outputs& outputs) {
  const auto exported = [&]() -> api::Outputs& {
    if (!status_.outputs) status_.outputs.emplace();
    status_changed_ = true;
    return *status_.outputs;
  };
  // An artifact that a group gives is another's, and has its name.
  const bool group = plan && (plan->steps() || plan->dag());
  const auto declared = [](const auto& list, const std::string& name) -> std::string {
    for (const auto& one : list) {
      if (one.name == name) return one.global_name;
    }
    return "";
  };
  const auto assign = [](auto& list, auto value) {
    for (auto& known : list) {
      if (known.name == value.name) {
        known = std::move(value);
        return;
      }
    }
    list.push_back(std::move(value));
  };
  for (const api::Parameter& parameter : outputs.parameters) {
    std::string name = parameter.global_name;
    if (name.empty() && plan) name = declared(plan->source->outputs.parameters, parameter.name);
    if (name.empty() || !parameter.value) continue;
    globals_.set("workflow.outputs.parameters." + name, *parameter.value);
    api::Parameter global;
    global.name = std::move(name);
    global.value = parameter.value;
    assign(exported().parameters, std::move(global));
  }
  for (const api::Artifact& artifact : outputs.artifacts) {
    std::string name = artifact.global_name;
    if (name.empty() && plan && !group) name = declared(plan->source->outputs.artifacts, artifact.name);
    if (name.empty()) continue;
    const std::string variable = "workflow.outputs.artifacts." + name;
    globals_.set_value(variable, artifact_marker(variable));
    api::Artifact global = artifact;
    global.name = name;
    global.global_name.clear();
    global.path.clear();
    global.raw.erase("globalName");
    global.raw.erase("path");
    global.raw["name"] = name;
    assign(exported().artifacts, std::move(global));
  }
}

}  // namespace tiphys::engine

#include "controllers/global_scope.h"

#include <fmt/format.h>

#include "engine/creation_times.h"

namespace tiphys::controllers {
namespace {

std::string to_json(const std::map<std::string, std::string>& pairs) {
  doc::Object object;
  for (const auto& [key, value] : pairs) object[key] = value;
  return doc::to_json(std::move(object));
}

void set_parameters(expr::Scope& scope, const std::vector<api::Parameter>& parameters) {
  doc::Array all;
  for (const api::Parameter& parameter : parameters) {
    const std::optional<std::string>& value = parameter.value ? parameter.value : parameter.default_value;
    if (!value) continue;
    scope.set("workflow.parameters." + parameter.name, *value);
    all.push_back(doc::Object{{"name", parameter.name}, {"value", *value}});
  }
  const std::string json = doc::to_json(std::move(all));
  scope.set("workflow.parameters", json);
  scope.set("workflow.parameters.json", json);
}

void set_pairs(expr::Scope& scope, const std::string& prefix, const std::map<std::string, std::string>& pairs) {
  for (const auto& [key, value] : pairs) scope.set(prefix + "." + key, value);
  const std::string json = to_json(pairs);
  scope.set(prefix, json);
  scope.set(prefix + ".json", json);
}

}  // namespace

expr::Scope global_scope(const api::Workflow& workflow) {
  expr::Scope scope;
  scope.set("workflow.name", workflow.name);
  scope.set("workflow.namespace", workflow.ns);
  scope.set("workflow.uid", workflow.uid);
  scope.set("workflow.mainEntrypoint", workflow.spec.entrypoint);
  scope.set("workflow.serviceAccountName", workflow.spec.service_account_name);
  if (workflow.spec.priority) scope.set("workflow.priority", fmt::to_string(*workflow.spec.priority));
  engine::set_creation_times(workflow.created, scope);
  set_parameters(scope, workflow.spec.arguments.parameters);
  set_pairs(scope, "workflow.labels", workflow.labels);
  set_pairs(scope, "workflow.annotations", workflow.annotations);
  return scope;
}

}  // namespace tiphys::controllers

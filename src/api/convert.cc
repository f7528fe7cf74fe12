#include "api/convert.h"

#include <string_view>
#include <utility>

namespace tiphys::api {
namespace {

doc::Value* member(doc::Value& value, std::string_view name) {
  return value.is_object() ? value.get_object().if_contains(name) : nullptr;
}

/// Appends a field's value to a list beside it.
void put_in_list(doc::Object& object, std::string_view field, std::string_view list) {
  const doc::Value* single = object.if_contains(field);
  if (!single || single->is_null()) return;
  doc::Value moved = *single;
  object.erase(field);
  doc::Value& plural = object[list];
  if (!plural.is_array()) plural.emplace_array();
  plural.get_array().push_back(std::move(moved));
}

void convert_locks(doc::Value* synchronization) {
  if (!synchronization || !synchronization->is_object()) return;
  put_in_list(synchronization->get_object(), "mutex", "mutexes");
  put_in_list(synchronization->get_object(), "semaphore", "semaphores");
}

void convert_template(doc::Value& pod_template);

/// Templates that stand in steps and tasks; steps are lists of lists.
void convert_inline(doc::Value* steps) {
  if (!steps || !steps->is_array()) return;
  for (doc::Value& step : steps->get_array()) {
    if (step.is_array()) convert_inline(&step);
    if (doc::Value* own = member(step, "inline")) convert_template(*own);
  }
}

void convert_template(doc::Value& pod_template) {
  convert_locks(member(pod_template, "synchronization"));
  convert_inline(member(pod_template, "steps"));
  if (doc::Value* dag = member(pod_template, "dag")) convert_inline(member(*dag, "tasks"));
}

void convert_spec(doc::Value* spec) {
  if (!spec) return;
  convert_locks(member(*spec, "synchronization"));
  if (doc::Value* defaults = member(*spec, "templateDefaults")) convert_template(*defaults);
  doc::Value* templates = member(*spec, "templates");
  if (!templates || !templates->is_array()) return;
  for (doc::Value& each : templates->get_array()) convert_template(each);
}

void convert_cron(doc::Value* spec) {
  if (!spec || !spec->is_object()) return;
  if (const doc::Value* schedule = member(*spec, "schedule"); schedule && schedule->is_string()) {
    if (!schedule->get_string().empty()) spec->get_object()["schedules"] = doc::Array{*schedule};
    spec->get_object().erase("schedule");
  }
  convert_spec(member(*spec, "workflowSpec"));
}

}  // namespace

void convert_to_current(doc::Value& document) {
  const std::string_view kind = doc::find_string(document, "kind");
  doc::Value* spec = member(document, "spec");
  if (kind == "CronWorkflow") {
    convert_cron(spec);
  } else if (kind == "Workflow" || kind == "WorkflowTemplate" || kind == "ClusterWorkflowTemplate") {
    convert_spec(spec);
  }
}

}  // namespace tiphys::api

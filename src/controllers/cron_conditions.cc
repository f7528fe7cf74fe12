#include "controllers/cron_conditions.h"

#include "expr/condition.h"
#include "expr/expression.h"
#include "expr/go_value.h"
#include "expr/text_template.h"

namespace tiphys::controllers {
namespace {

using Pairs = std::map<std::string, std::string>;

doc::Object object_of(const Pairs& pairs) {
  doc::Object object;
  for (const auto& [key, value] : pairs) object[key] = value;
  return object;
}

/// The original's json.Marshal of a map, which is a []byte there, and so no text for a simple tag.
doc::Value json_of(const Pairs& pairs) {
  return make_go_value(expr::GoKind::kBytes, doc::Value(pairs.empty() ? "null" : doc::to_json(object_of(pairs))));
}

/// Only what is a string in the original can stand in a simple tag; the rest is for expressions.
expr::Scope scope_of(const api::CronWorkflow& cron, const api::CronWorkflowStatus& status, const CronAmbient& ambient) {
  expr::Scope scope;
  scope.set_ambient(&ambient.ambient);
  scope.set("cronworkflow.name", cron.name);
  scope.set("cronworkflow.namespace", cron.ns);
  const doc::Value labels = make_go_value(expr::GoKind::kStringMap, object_of(cron.labels));
  scope.set_value("cronworkflow.labels", labels);
  scope.set_value("cronworkflow.annotations", labels);  // as the original has it
  scope.set_value("cronworkflow.labels.json", json_of(cron.labels));
  scope.set_value("cronworkflow.annotations.json", json_of(cron.annotations));
  scope.set_value("cronworkflow.failed", status.failed);
  scope.set_value("cronworkflow.succeeded", status.succeeded);
  doc::Value last;
  if (status.last_scheduled != Time{}) {
    expr::GoTime time = expr::from_time(status.last_scheduled);
    time.zone = ambient.local;
    last = expr::make_go_value(time);
  }
  scope.set_value("cronworkflow.lastScheduledTime", std::move(last));
  return scope;
}

}  // namespace

Result<bool> wants_stop(const api::CronWorkflow& cron, const api::CronWorkflowStatus& status,
                        const CronAmbient& ambient) {
  if (!cron.stop_expression) return false;
  const auto decided = expr::eval_bool_expression(*cron.stop_expression, scope_of(cron, status, ambient));
  if (decided) return decided;
  return std::unexpected(decided.error().in("failed to evaluate stop expression"));
}

Result<bool> may_run(const api::CronWorkflow& cron, const api::CronWorkflowStatus& status, const CronAmbient& ambient) {
  if (cron.when.empty()) return true;
  TIPHYS_TRY(const auto compiled, expr::TextTemplate::compile(cron.when));
  TIPHYS_TRY(const std::string text, compiled.render(scope_of(cron, status, ambient), expr::Unresolved::kError));
  if (text.empty()) return true;
  return expr::eval_when(text, expr::WhenWords::kVariables);
}

}  // namespace tiphys::controllers

#include <algorithm>

#include "api/cron_workflow.h"

namespace tiphys::api {
namespace {

std::int64_t count_at(const doc::Value& status, std::string_view name) {
  const doc::Value* count = doc::find(status, name);
  return count && count->is_int64() ? count->get_int64() : 0;
}

const doc::Array* array_at(const doc::Value& status, std::string_view name) {
  const doc::Value* member = doc::find(status, name);
  return member ? member->if_array() : nullptr;
}

}  // namespace

void CronWorkflowStatus::set_condition(std::string_view type, std::string message) {
  Condition condition{std::string(type), "True", std::move(message)};
  const auto known = std::ranges::find(conditions, type, &Condition::type);
  if (known == conditions.end()) {
    conditions.push_back(std::move(condition));
  } else {
    *known = std::move(condition);
  }
}

void CronWorkflowStatus::clear_condition(std::string_view type) {
  std::erase_if(conditions, [&](const Condition& condition) { return condition.type == type; });
}

CronWorkflowStatus read_cron_workflow_status(const doc::Value& cron_workflow) {
  CronWorkflowStatus status;
  const doc::Value* written = doc::find(cron_workflow, "status");
  if (!written) return status;
  if (const doc::Array* active = array_at(*written, "active")) status.active = *active;
  if (const auto time = parse_rfc3339(doc::find_string(*written, "lastScheduledTime"))) status.last_scheduled = *time;
  if (const doc::Array* conditions = array_at(*written, "conditions")) {
    for (const doc::Value& condition : *conditions) {
      const auto text = [&](std::string_view name) { return std::string(doc::find_string(condition, name)); };
      status.conditions.push_back({text("type"), text("status"), text("message")});
    }
  }
  status.succeeded = count_at(*written, "succeeded");
  status.failed = count_at(*written, "failed");
  status.phase = doc::find_string(*written, "phase");
  return status;
}

doc::Object to_json(const CronWorkflowStatus& status) {
  doc::Object object;
  object["active"] = status.active.empty() ? doc::Value() : doc::Value(status.active);
  object["lastScheduledTime"] =
      status.last_scheduled == Time{} ? doc::Value() : doc::Value(format_rfc3339(status.last_scheduled));
  doc::Array conditions;
  for (const auto& [type, state, message] : status.conditions) {
    conditions.push_back(doc::Object{{"type", type}, {"status", state}, {"message", message}});
  }
  object["conditions"] = conditions.empty() ? doc::Value() : doc::Value(std::move(conditions));
  object["succeeded"] = status.succeeded;
  object["failed"] = status.failed;
  object["phase"] = status.phase;
  return object;
}

}  // namespace tiphys::api

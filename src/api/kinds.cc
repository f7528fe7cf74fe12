#include "api/kinds.h"

#include <algorithm>

#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr Kind kKinds[] = {
    {"Workflow", "workflows", "wf", "One run of templates.", &kWorkflowTable},
    {"WorkflowTemplate", "workflowtemplates", "wftmpl", "Templates that workflows of its namespace refer to.",
     &kWorkflowTable},
    {"ClusterWorkflowTemplate", "clusterworkflowtemplates", "cwftmpl", "Templates that all workflows refer to.",
     &kWorkflowTable},
    {"CronWorkflow", "cronworkflows", "cwf", "Runs a workflow by schedules.", &kCronWorkflowTable},
};

}  // namespace

std::span<const Kind> kinds() {
  return kKinds;
}

std::vector<const FieldTable*> all_tables() {
  std::vector<const FieldTable*> tables;
  const auto add = [&](const FieldTable* table) {
    if (table && std::ranges::find(tables, table) == tables.end()) tables.push_back(table);
  };
  for (const Kind& kind : kKinds) add(kind.fields);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const FieldTable& table = *tables[i];
    for (std::size_t k = 0; k < table.size(); ++k) add(table[k].shape->fields);
  }
  return tables;
}

}  // namespace tiphys::api

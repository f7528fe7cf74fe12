#include "argo/submit_source.h"

#include <string>

#include "api/cron_workflow.h"
#include "controllers/names.h"
#include "expr/go_layout.h"

namespace tiphys::argo {

const cluster::Resource* submit_kind(std::string_view kind) {
  for (const cluster::Resource* resource :
       {&cluster::kCronWorkflows, &cluster::kWorkflowTemplates, &cluster::kClusterWorkflowTemplates}) {
    if (kind == resource->kind || resource->is_called(kind)) return resource;
  }
  return nullptr;
}

doc::Value workflow_from_template(const cluster::Resource& resource, std::string_view name) {
  const bool of_cluster = &resource == &cluster::kClusterWorkflowTemplates;
  doc::Object ref{{"name", name}};
  if (of_cluster) ref["clusterScope"] = true;
  const std::string_view label =
      of_cluster ? controllers::kClusterWorkflowTemplateLabel : controllers::kWorkflowTemplateLabel;
  return doc::Object{
      {"apiVersion", cluster::kWorkflows.api_version()},
      {"kind", cluster::kWorkflows.kind},
      {"metadata", doc::Object{{"generateName", std::string(name) + "-"}, {"labels", doc::Object{{label, name}}}}},
      {"spec", doc::Object{{"workflowTemplateRef", std::move(ref)}}}};
}

doc::Value workflow_from_cron(const doc::Value& cron_workflow, Time now) {
  expr::GoTime time = expr::from_time(now);
  time.zone = expr::host_zone();
  return api::make_workflow(cron_workflow, "", expr::format_time(time, expr::kRfc3339));
}

}  // namespace tiphys::argo

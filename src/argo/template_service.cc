// WorkflowTemplateService and ClusterWorkflowTemplateService.
#include "argo/kind_service.h"

namespace tiphys::argo {
namespace {

constexpr KindService kTemplates{cluster::kWorkflowTemplates, "template", "WorkflowTemplateList"};
constexpr KindService kClusterTemplates{cluster::kClusterWorkflowTemplates, "template", "ClusterWorkflowTemplateList"};

}  // namespace

const Methods& template_methods() {
  static const Methods kMethods{{"CreateWorkflowTemplate", [](const WorkPtr& work) { create(work, kTemplates); }},
                                {"GetWorkflowTemplate", [](const WorkPtr& work) { get(work, kTemplates); }},
                                {"ListWorkflowTemplates", [](const WorkPtr& work) { list(work, kTemplates); }},
                                {"UpdateWorkflowTemplate", [](const WorkPtr& work) { update(work, kTemplates); }},
                                {"DeleteWorkflowTemplate", [](const WorkPtr& work) { remove(work, kTemplates); }},
                                {"LintWorkflowTemplate", [](const WorkPtr& work) { lint(work, kTemplates); }}};
  return kMethods;
}

const Methods& cluster_template_methods() {
  static const Methods kMethods{
      {"CreateClusterWorkflowTemplate", [](const WorkPtr& work) { create(work, kClusterTemplates); }},
      {"GetClusterWorkflowTemplate", [](const WorkPtr& work) { get(work, kClusterTemplates); }},
      {"ListClusterWorkflowTemplates", [](const WorkPtr& work) { list(work, kClusterTemplates); }},
      {"UpdateClusterWorkflowTemplate", [](const WorkPtr& work) { update(work, kClusterTemplates); }},
      {"DeleteClusterWorkflowTemplate", [](const WorkPtr& work) { remove(work, kClusterTemplates); }},
      {"LintClusterWorkflowTemplate", [](const WorkPtr& work) { lint(work, kClusterTemplates); }}};
  return kMethods;
}

}  // namespace tiphys::argo

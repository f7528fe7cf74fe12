// CronWorkflowService.
#include "argo/kind_service.h"

namespace tiphys::argo {
namespace {

constexpr KindService kCrons{cluster::kCronWorkflows, "cronWorkflow", "CronWorkflowList"};

void set_suspended(const WorkPtr& work, bool suspended) {
  work->cluster().patch(work->named(cluster::kCronWorkflows), cluster::PatchType::kMerge,
                        doc::Object{{"spec", doc::Object{{"suspend", suspended}}}}, work->reply_object());
}

}  // namespace

const Methods& cron_methods() {
  static const Methods kMethods{{"CreateCronWorkflow", [](const WorkPtr& work) { create(work, kCrons); }},
                                {"GetCronWorkflow", [](const WorkPtr& work) { get(work, kCrons); }},
                                {"ListCronWorkflows", [](const WorkPtr& work) { list(work, kCrons); }},
                                {"UpdateCronWorkflow", [](const WorkPtr& work) { update(work, kCrons); }},
                                {"DeleteCronWorkflow", [](const WorkPtr& work) { remove(work, kCrons); }},
                                {"LintCronWorkflow", [](const WorkPtr& work) { lint(work, kCrons); }},
                                {"SuspendCronWorkflow", [](const WorkPtr& work) { set_suspended(work, true); }},
                                {"ResumeCronWorkflow", [](const WorkPtr& work) { set_suspended(work, false); }}};
  return kMethods;
}

}  // namespace tiphys::argo

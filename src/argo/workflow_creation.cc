// WorkflowService: what makes workflows.
#include <fmt/format.h>

#include "argo/creator.h"
#include "argo/find_workflow.h"
#include "argo/new_object.h"
#include "argo/resubmit.h"
#include "argo/submit_options.h"
#include "argo/submit_source.h"
#include "argo/uploads.h"
#include "argo/workflow_service.h"

namespace tiphys::argo {
namespace {

/// Judges it, and makes it unless it is only to be looked at.
struct Making {
  bool dry_run = false;         ///< it is answered with as it came
  bool server_dry_run = false;  ///< it is answered with as the plane would have it
};

void make(const WorkPtr& work, doc::Value workflow, const Making& how) {
  label_creator(workflow, work->caller());
  const auto held = std::make_shared<doc::Value>(std::move(workflow));
  judge(work->cluster(), *held, work->judging(), work->then<void>([work, held, how] {
    if (how.dry_run) return work->reply(*held);
    if (how.server_dry_run) {
      return work->try_create(cluster::kWorkflows, std::move(*held), work->reply_object());
    }
    work->cluster().create(cluster::kWorkflows, std::move(*held), work->reply_object());
  }));
}

/// `from`: the template that the workflow refers to, or null.
void submit(const WorkPtr& work, doc::Value workflow, const cluster::Key* from = nullptr) {
  const doc::Value& options = work->member("submitOptions");
  SubmitOptions read = read_submit_options(options);
  read.ns = work->text("namespace");
  if (const Status applied = apply_options(workflow, read); !applied) return work->refuse(applied.error());
  const auto asks = [&](std::string_view field) {
    const doc::Value* value = doc::find(options, field);
    return value && value->is_bool() && value->get_bool();
  };
  const Making how{.dry_run = asks("dryRun"), .server_dry_run = asks("serverDryRun")};
  if (!from) return make(work, std::move(workflow), how);
  std::vector<std::string> texts;
  if (const doc::Value* uploads = doc::find(options, "artifacts"); uploads && uploads->is_array()) {
    for (const doc::Value& upload : uploads->get_array()) texts.push_back(doc::scalar_text(upload));
  }
  work->cluster().get(*from, work->then<cluster::Object>([work, how, texts = std::move(texts),
                                                          workflow = std::make_shared<doc::Value>(std::move(workflow))](
                                                             const cluster::Object& source) {
    if (texts.empty() || !work->plane().api) return make(work, std::move(*workflow), how);
    use_uploads(work->plane().api->store(), workflow, source, texts, work->plane().artifact_repository,
                work->then<void>([work, how, workflow] { make(work, std::move(*workflow), how); }));
  }));
}

}  // namespace

void create_workflow(const WorkPtr& work) {
  auto workflow = take_object(*work, "workflow", cluster::kWorkflows);
  if (!workflow) return work->refuse(workflow.error());
  workflow->get_object().erase("status");
  make(work, std::move(*workflow), {.dry_run = is_dry_run(*work), .server_dry_run = work->flag("serverDryRun")});
}

void submit_workflow(const WorkPtr& work) {
  const std::string kind = work->text("resourceKind"), name = work->text("resourceName");
  const cluster::Resource* from = submit_kind(kind);
  if (!from) {
    return work->refuse(
        {Code::kInvalidArgument, fmt::format("Resource kind '{}' is not supported for submitting", kind)});
  }
  if (from != &cluster::kCronWorkflows) {
    const cluster::Key source{from, from->namespaced ? work->text("namespace") : "", name};
    return submit(work, workflow_from_template(*from, name), &source);
  }
  work->cluster().get({from, work->text("namespace"), name},
                      work->then<cluster::Object>([work](const cluster::Object& cron) {
                        submit(work, workflow_from_cron(*cron, work->plane().executor.now()));
                      }));
}

void lint_workflow(const WorkPtr& work) {
  auto workflow = take_object(*work, "workflow", cluster::kWorkflows);
  if (!workflow) return work->refuse(workflow.error());
  const auto held = std::make_shared<doc::Value>(std::move(*workflow));
  judge(work->cluster(), *held, work->judging(true), work->then<void>([work, held] { work->reply(*held); }));
}

void resubmit(const WorkPtr& work, const doc::Value& before) {
  doc::Value workflow = resubmitted(before);
  if (const Status set = set_parameters(workflow, work->texts("parameters")); !set) return work->refuse(set.error());
  label_creator(workflow, work->caller());
  if (work->flag("memoized")) {
    const Status taken = take_over_nodes(workflow, before, work->plane().random, work->plane().executor.now());
    if (!taken) return work->refuse(taken.error());
  }
  const auto held = std::make_shared<doc::Value>(std::move(workflow));
  judge(work->cluster(), *held, work->judging(), work->then<void>([work, held] {
    work->cluster().create(cluster::kWorkflows, std::move(*held), work->reply_object());
  }));
}

void resubmit_workflow(const WorkPtr& work) {
  with_workflow(work, [work](const cluster::Key& key) {
    work->cluster().get(
        key, work->then<cluster::Object>([work](const cluster::Object& before) { resubmit(work, *before); }));
  });
}

}  // namespace tiphys::argo

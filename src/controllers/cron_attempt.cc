// How a CronJob begins a run, or decides that there is none. Original: run of workflow/cron/operator.go.
#include <fmt/format.h>

#include <algorithm>

#include "api/join.h"
#include "controllers/cron_job.h"
#include "controllers/fetch_references.h"
#include "controllers/names.h"
#include "controllers/owner_reference.h"
#include "controllers/refused.h"
#include "expr/go_layout.h"

namespace tiphys::controllers {
namespace {

/// The first error of a CronWorkflow, as the original words it; "" when there is none.
std::string first_error(const std::vector<api::Finding>& findings) {
  const auto error = std::ranges::find_if(findings, &api::Finding::is_error);
  if (error == findings.end()) return "";
  return (error->pointer.starts_with("/spec/workflowSpec") ? "cannot validate Workflow: " : "") + error->message;
}

}  // namespace

void CronJob::attempt(Time scheduled) {
  busy_ = true;
  attempt_ = Attempt{scheduled, cron_.status, {}, {}};
  if (has_new_schedule(cron_)) attempt_->annotations[kLastUsedScheduleAnnotation] = cron_.schedules_text(true);
  std::vector<api::Finding> findings;
  if (!environment_.workflow_defaults) return judge(cron_, std::move(findings));
  auto whole = api::cron_with_workflow_defaults(*cron_.document, *environment_.workflow_defaults);
  if (!whole) return spec_error("cannot validate Workflow: " + whole.error().message);
  const api::CronWorkflow read = api::parse_cron_workflow(*whole, findings);
  judge(read, std::move(findings));
}

/// With all that the plane adds to its workflows.
void CronJob::judge(const api::CronWorkflow& whole, std::vector<api::Finding> findings) {
  fetch_references(environment_.cluster, whole.workflow, api::spec_of_defaults(environment_.workflow_defaults),
                   guarded([whole, findings = std::move(findings)](CronJob& self,
                                                                   const Result<api::References>& references) mutable {
                     if (!references) return self.try_again(references.error());
                     self.validate(whole, std::move(findings), *references);
                   }));
}

void CronJob::validate(const api::CronWorkflow& whole, std::vector<api::Finding> findings,
                       const api::References& references) {
  if (!api::any_error(findings)) api::validate_cron_workflow(whole, findings);
  std::string error = first_error(findings);
  if (error.empty() && references.error()) error = "cannot validate Workflow: " + references.error()->message;
  if (error.empty()) {
    std::vector<api::Finding> of_workflow;
    const doc::Value resolved = references.stored_in(*whole.workflow.document);
    api::validate_workflow(api::parse_resolved_workflow(resolved, of_workflow), of_workflow, {.references = true});
    error = first_error(api::place_in_cron_workflow(std::move(of_workflow)));
  }
  if (!error.empty()) return spec_error(std::move(error));
  attempt_->status.clear_condition(kSpecError);
  decide();
}

void CronJob::decide() {
  api::CronWorkflowStatus& status = attempt_->status;
  const auto stop = wants_stop(cron_, status, ambient());
  if (!stop) {
    return spec_error(
        fmt::format("failed to check CronWorkflow '{}' stopping condition: {}", cron_.name, stop.error().message));
  }
  if (*stop) {
    status.phase = "Stopped";
    attempt_->labels[kCronCompletedLabel] = "true";
  }
  if (cron_.suspend || status.phase == "Stopped") return conclude();
  const auto may = may_run(cron_, status, ambient());
  if (!may) return submission_error("run policy error: " + may.error().message);
  if (!*may) return conclude();
  using Concurrency = api::CronWorkflow::Concurrency;
  if (!status.active.empty() && cron_.concurrency == Concurrency::kForbid) {
    environment_.metrics.cron_limited(key_.ns, key_.name, "Forbid");
    return conclude();
  }
  if (!status.active.empty() && cron_.concurrency == Concurrency::kReplace) {
    environment_.metrics.cron_limited(key_.ns, key_.name, "Replace");
    return replace_active();
  }
  create();
}

void CronJob::replace_active() {
  answers_ = attempt_->status.active.size();
  failure_.reset();
  for (const doc::Value& reference : attempt_->status.active) {
    const std::string name(doc::find_string(reference, "name"));
    doc::Value patch = doc::Object{{"spec", doc::Object{{"shutdown", "Terminate"}}}};
    environment_.cluster.patch({&cluster::kWorkflows, key_.ns, name}, cluster::PatchType::kMerge, std::move(patch),
                               guarded([name](CronJob& self, const Result<cluster::Object>& answer) {
                                 if (!answer && answer.error().code != Code::kNotFound) {
                                   self.failure_ = answer.error().in(fmt::format("error stopping workflow {}", name));
                                 }
                                 if (--self.answers_ > 0) return;
                                 if (!self.failure_) return self.create();
                                 if (!refused_for_good(*self.failure_)) return self.try_again(*self.failure_);
                                 self.submission_error("run policy error: " + self.failure_->message);
                               }));
  }
}

void CronJob::create() {
  expr::GoTime time = expr::from_time(attempt_->scheduled);
  time.zone = environment_.local;
  environment_.cluster.create(
      cluster::kWorkflows,
      api::make_workflow(*cron_.document, cron_child_name(cron_.name, attempt_->scheduled),
                         expr::format_time(time, expr::kRfc3339)),
      guarded([](CronJob& self, const Result<cluster::Object>& answer) { self.created(answer); }));
}

void CronJob::created(const Result<cluster::Object>& answer) {
  if (answer) return began(**answer);
  if (answer.error().code == Code::kAlreadyExists) return look_at_existing();
  if (!refused_for_good(answer.error())) return try_again(answer.error());
  submission_error("Failed to submit Workflow: " + answer.error().message);
}

/// Most likely its own, from before a crash.
void CronJob::look_at_existing() {
  const cluster::Key key{&cluster::kWorkflows, key_.ns, cron_child_name(cron_.name, attempt_->scheduled)};
  environment_.cluster.get(key, guarded([name = key.name](CronJob& self, const Result<cluster::Object>& workflow) {
                             if (!workflow) return self.try_again(workflow.error());
                             if (owned_by(**workflow, self.cron_.uid)) return self.began(**workflow);
                             self.submission_error(fmt::format(
                                 "Failed to submit Workflow: workflows.argoproj.io \"{}\" already exists", name));
                           }));
}

void CronJob::began(const doc::Value& workflow) {
  environment_.metrics.cron_triggered(key_.ns, key_.name);
  if (auto child = read_cron_child(workflow)) children().try_emplace(child->uid, *child);
  api::CronWorkflowStatus& status = attempt_->status;
  reconcile(status, children());
  status.last_scheduled = std::max(status.last_scheduled, attempt_->scheduled);
  status.phase = "Active";
  status.clear_condition(kSubmissionError);
  conclude();
}

void CronJob::spec_error(std::string message) {
  environment_.metrics.error("CronWorkflowSpecError");
  attempt_->status.set_condition(kSpecError, std::move(message));
  given_up_ = attempt_->scheduled;
  conclude();
}

void CronJob::submission_error(std::string message) {
  environment_.metrics.error("CronWorkflowSubmissionError");
  attempt_->status.set_condition(kSubmissionError, std::move(message));
  ++attempt_->status.failed;
  given_up_ = attempt_->scheduled;
  conclude();
}

/// Writes what the attempt has changed.
void CronJob::conclude() {
  Attempt attempt = std::move(*attempt_);
  attempt_.reset();
  tried_ = attempt.scheduled;
  if (attempt.status == cron_.status && attempt.labels.empty() && attempt.annotations.empty()) return concluded();
  write(attempt.status, std::move(attempt.labels), std::move(attempt.annotations), &CronJob::concluded);
}

void CronJob::concluded() {
  pending_.reset();
  finished();
}

}  // namespace tiphys::controllers

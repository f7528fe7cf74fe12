#include "controllers/workloads/cron_job_controller.h"

#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"

namespace tiphys::controllers::workloads {

void CronJobController::start() {
  queue_ = std::make_shared<WorkQueue>(
      view_->executor(), "CronJob",
      [this](const Name& name, WorkQueue::Finish finish) { look(name, std::move(finish)); });
  const auto weak = weak_from_this();
  view_->of(cluster::kCronJobs).listen([weak](const auto& before, const auto& after) {
    const doc::Value& cron = after ? *after : *before;
    if (const auto self = weak.lock()) self->queue_->add({namespace_of(cron), name_of(cron)});
  });
  view_->of(cluster::kJobs).listen([weak](const auto& before, const auto& after) {
    const auto self = weak.lock();
    const doc::Value& job = after ? *after : *before;
    const doc::Value* owner = controller_of(job);
    if (!self || !owner || doc::find_string(*owner, "kind") != cluster::kCronJobs.kind) return;
    self->queue_->add({namespace_of(job), std::string(doc::find_string(*owner, "name"))});
  });
  for (const auto* resource : {&cluster::kCronJobs, &cluster::kJobs}) {
    view_->of(*resource).when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all();
    });
  }
}

void CronJobController::look_at_all() {
  for (const auto& cron : view_->of(cluster::kCronJobs).in_namespace("")) {
    queue_->add({namespace_of(*cron), name_of(*cron)});
  }
}

void CronJobController::look(const Name& name, WorkQueue::Finish finish) {
  const bool known = view_->of(cluster::kCronJobs).synced() && view_->of(cluster::kJobs).synced();
  const auto cron = known ? view_->of(cluster::kCronJobs).find(name.first, name.second) : nullptr;
  if (!cron) return finish({});
  const auto jobs = view_->of(cluster::kJobs).controlled_by(uid_of(*cron));
  carry_out(cron, plan_cron_job(*cron, jobs, view_->executor().now(), local_), std::move(finish));
}

void CronJobController::carry_out(const cluster::Object& cron, CronJobPlan plan, WorkQueue::Finish finish) {
  if (plan.look_again) queue_->add_at({namespace_of(*cron), name_of(*cron)}, *plan.look_again);
  for (const auto& note : plan.notes) view_->record(cluster::kCronJobs, *cron, note.type, note.reason, note.message);
  Answers answers([weak = weak_from_this(), cron, plan, finish](Status outcome) mutable {
    const auto self = weak.lock();
    if (!self) return;
    if (!outcome) return finish(std::move(outcome));
    if (!plan.create) return self->write(cron, std::move(plan.status), std::move(finish));
    self->view_->create(cluster::kJobs, std::move(*plan.create),
                        [weak, cron, plan, finish](const Result<cluster::Object>& made) mutable {
                          const auto alive = weak.lock();
                          if (!alive) return;
                          if (!made) {
                            // A namesake of somebody else's is left alone.
                            if (made.error().code == Code::kAlreadyExists)
                              return alive->write(cron, std::move(plan.status), finish);
                            alive->view_->record(cluster::kCronJobs, *cron, "Warning", "FailedCreate",
                                                 "Error creating job: " + made.error().message);
                            return finish(std::unexpected(made.error()));
                          }
                          alive->view_->record(cluster::kCronJobs, *cron, "Normal", "SuccessfulCreate",
                                               "Created job " + name_of(**made));
                          add_active(plan.status, **made, plan.scheduled);
                          alive->write(cron, std::move(plan.status), finish);
                        });
  });
  for (const auto& job : plan.remove) view_->remove(cluster::kJobs, *job, answers.one_unless_gone());
  answers.close();
}

void CronJobController::write(const cluster::Object& cron, doc::Object status, WorkQueue::Finish finish) {
  Answers answers(std::move(finish));
  if (value_at(*cron, "status") != doc::Value(status) && !(status.empty() && value_at(*cron, "status").is_null())) {
    doc::Value written = *cron;
    written.get_object()["status"] = std::move(status);
    view_->update(cluster::kCronJobs, std::move(written), answers.one_unless_gone());
  }
  answers.close();
}

}  // namespace tiphys::controllers::workloads

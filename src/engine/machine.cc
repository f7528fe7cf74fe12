#include "engine/machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace tiphys::engine {

Machine::Machine(api::Workflow workflow, Random& random)
    : workflow_(std::move(workflow)), plans_(workflow_), nodes_(workflow_.name), ambient_{Time{}, &random} {
  globals_.set_ambient(&ambient_);
  suspended_ = workflow_.spec.suspend;
  shutdown_ = workflow_.spec.shutdown;
  set_globals();
}

void Machine::apply(const Event& event, Time now, std::vector<Effect>& effects) {
  now_ = ambient_.now = now;
  effects_ = &effects;
  if (!status_.finished()) {
    const Progress before = progress_;
    // The timer may come late, and a restart does not wait for it.
    if (past_deadline() && !deadline_over_) {
      handle_deadline();
      drain();
    }
    if (!status_.finished()) {
      std::visit([this](const auto& what) { handle(what); }, event);
      drain();
    }
    if (before.done != progress_.done || before.total != progress_.total) {
      status_.progress = to_text(progress_);
      status_changed_ = true;
    }
    if (!status_.finished()) ask_for_timer();
  }
  effects_ = nullptr;
}

Run::Changes Machine::take_changes() {
  Run::Changes changes;
  const std::vector<NodeIndex> touched = nodes_.take_touched();
  changes.nodes.reserve(touched.size());
  changes.phases.reserve(touched.size());
  for (const NodeIndex index : touched) {
    changes.nodes.push_back(nodes_.id(index));
    changes.phases.push_back(std::exchange(nodes_[index].told_phase, nodes_[index].phase));
  }
  changes.status = std::exchange(status_changed_, false);
  return changes;
}

void Machine::set_status(RunStatus::Phase phase, std::string message) {
  if (status_.phase == phase && status_.message == message) return;
  status_.phase = phase;
  status_.message = std::move(message);
  status_changed_ = true;
  globals_.set("workflow.status", std::string(phase_name(phase)));
}

void Machine::end_run(RunStatus::Phase phase, std::string message) {
  if (status_.finished()) return;
  end_daemons(daemons_);
  set_status(phase, std::move(message));
  if (status_.started_at == Time{}) status_.started_at = now_;
  status_.finished_at = now_;
  status_.synchronization = {};
  status_changed_ = true;
  sum_resources();
  emit_workflow_metrics(false);
}

void Machine::handle(const Started& event) {
  other_parameters_ = event.other_parameters;
  asked_timer_.reset();
  if (workflow_waits()) return ask_workflow_locks();
  begin_run();
}

/// The workflow has its locks, and begins or goes on.
void Machine::begin_run() {
  if (status_.phase == RunStatus::Phase::kUnset || status_.phase == RunStatus::Phase::kPending) {
    status_.started_at = now_;
    set_status(RunStatus::Phase::kRunning, "");
  }
  emit_workflow_metrics(true);
  if (workflow_.spec.active_deadline_seconds) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(status_.started_at);
    deadline_ = Time(whole) + std::chrono::seconds(*workflow_.spec.active_deadline_seconds);
    if (!past_deadline()) set_timer({*deadline_, Timer::Kind::kDeadline});
  }
  if (loaded_) {
    loaded_ = false;
    resume(other_parameters_);
  }
  if (past_deadline()) handle_deadline();
  if (!suspended_) begin_entry();
}

void Machine::handle_deadline() {
  deadline_over_ = true;
  stop_all("Step exceeded its deadline", "Step exceeded its deadline", false);
}

void Machine::begin_entry() {
  if (entry_ != kNoNode || status_.finished() || !aim_workflow_hooks()) return;
  const CompiledTemplate* plan = plans_.find(workflow_.spec.entrypoint);
  Call call;
  call.name = workflow_.name;
  call.template_name = &workflow_.spec.entrypoint;
  call.plan = plan;
  begin(call, entry_arguments());
}

Arguments Machine::entry_arguments() const {
  return {.parameters = given_values(workflow_.spec.arguments), .artifacts = workflow_.spec.arguments.artifacts};
}

void Machine::handle(const TimerFired&) {
  asked_timer_.reset();
  while (!timers_.empty() && timers_.top().when <= now_) {
    const Timer timer = timers_.top();
    timers_.pop();
    if (timer.kind == Timer::Kind::kDeadline) continue;
    const Node& node = nodes_[timer.node];
    if (node.fulfilled()) continue;
    if (timer.kind == Timer::Kind::kSuspend) {
      suspend_over(timer.node);
    } else if (timer.kind == Timer::Kind::kBackoff) {
      push(Action::Kind::kRetry, timer.node);
    } else if (node.phase == api::NodePhase::kPending) {
      stop_pod(timer.node);
      set_phase(timer.node, api::NodePhase::kFailed, "timeout");
      if (Frame* frame = frame_of(node.boundary); frame && frame->plan->steps() && node.owner == Owner::kTask) {
        fail_group(*frame, api::NodePhase::kFailed, "timeout");
      }
    }
  }
}

void Machine::handle(const SuspendChanged& event) {
  suspended_ = event.suspend;
  workflow_.spec.suspend = event.suspend;
  if (suspended_ || status_.phase == RunStatus::Phase::kUnset || workflow_waits()) return;
  begin_entry();
  if (!blocked_.empty()) push(Action::Kind::kUnblock, kNoNode);
}

void Machine::set_timer(Timer timer) {
  timer.rank = rank(timer.node);
  timers_.push(std::move(timer));
}

void Machine::ask_for_timer() {
  while (!timers_.empty() && timers_.top().kind != Timer::Kind::kDeadline && nodes_[timers_.top().node].fulfilled()) {
    timers_.pop();
  }
  if (timers_.empty() || asked_timer_ == timers_.top().when) return;
  asked_timer_ = timers_.top().when;
  effects_->push_back(SetTimer{*asked_timer_});
}

void Machine::drain() {
  // Shutting down goes before suspension: a suspended run can be stopped.
  if (suspended_ && shutdown_.empty()) return;
  for (const CacheAnswered& late : std::exchange(answers_, {})) answer(late);
  // Steps of the exit handler see what has failed before them in it. What holds them fails in this turn, after them.
  if (std::exchange(node_failed_, false) && exit_ != kNoNode) globals_.set("workflow.failures", failed_nodes());
  do {
    while (!agenda_.empty() && !status_.finished()) {
      const Action action = agenda_.front();
      agenda_.pop_front();
      do_action(action);
    }
  } while (consider_workflow_hooks() || (!agenda_.empty() && !status_.finished()));
  missing_.clear();
}

void Machine::do_action(const Action& action) {
  switch (action.kind) {
    case Action::Kind::kEnded:
      return ended(action.node);
    case Action::Kind::kRetry:
      return retry(action.node);
    case Action::Kind::kUnblock:
      return unblock();
    case Action::Kind::kHooks:
      return consider_hooks(action.node);
    case Action::Kind::kWake:
      if (Frame* frame = frame_of(action.node)) wake_frame(*frame);
      return;
    case Action::Kind::kDied:
      return daemon_died(action.node);
    case Action::Kind::kAdvance:
      if (Frame* frame = frame_of(action.node)) advance(*frame);
      return;
  }
}

/// Everything that waits for the end of a node is found through its owner; a second call finds nothing to do.
void Machine::ended(NodeIndex index) {
  Node& node = nodes_[index];
  if (node.settled) return;
  node.settled = true;
  node.frame.reset();
  if (Frame* frame = frame_of(node.boundary)) {
    failed_fast(*frame);
    if (!asleep_.empty() && node.task != kNoTask && frame->plan->dag()) resume_dependents(*frame, node.task);
    if (node.owner == Owner::kTask) fail_past_group(*frame, index);
    if (node.owner == Owner::kTask && frame->tasks[node.task].stage == TaskStage::kSettled) {
      node.left = true;
      return;
    }
    if (of_ended_loop(*frame, node)) return;
  }
  switch (node.owner) {
    case Owner::kGroup:
      if (hooked_step(index)) leave(index);
      return;
    case Owner::kEntry:
      return entry_ended();
    case Owner::kExit:
      return finish();
    case Owner::kAttempt:
      return push(Action::Kind::kRetry, node.owner_node);
    case Owner::kHook:
      return hook_ended(index);
    case Owner::kTask:
      return leave(index);
  }
}

}  // namespace tiphys::engine

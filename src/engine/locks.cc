// Locks of the workflow and of its templates: asked for before anything begins, given back at the end.
#include <fmt/format.h>

#include <algorithm>

#include "engine/machine.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

constexpr std::string_view kInvalid = "requested configuration is invalid: ";

/// The variables of the workflow's own locks: the global ones alone.
class NoVariables final : public Variables {
 public:
  void provide(std::string_view, expr::Scope&) const override {}
};

template <typename T>
T& entry(std::vector<T>& entries, const std::string& name) {
  const auto found = std::ranges::find(entries, name, &T::name);
  if (found != entries.end()) return *found;
  entries.push_back({});
  entries.back().name = name;
  return entries.back();
}

template <typename T>
void drop(std::vector<T>& entries, const std::string& name) {
  std::erase_if(entries, [&](const T& each) { return each.name == name; });
}

}  // namespace

std::unique_ptr<const LockPlans> compile_locks(const std::optional<api::Synchronization>& source) {
  if (!source || (source->semaphores.empty() && source->mutexes.empty())) return nullptr;
  LockPlans plans;
  for (const api::SemaphoreRef& semaphore : source->semaphores) {
    LockPlan& plan = plans.emplace_back();
    plan.semaphore = true;
    plan.ns = Text(semaphore.ns);
    if (semaphore.config_map_key) {
      plan.kind = LockName::Kind::kConfigMap;
      plan.resource = Text(semaphore.config_map_key->name);
      plan.key = Text(semaphore.config_map_key->key);
    } else if (semaphore.database_key) {
      plan.kind = LockName::Kind::kDatabase;
      plan.resource = Text(*semaphore.database_key);
    }
  }
  for (const api::Mutex& mutex : source->mutexes) {
    LockPlan& plan = plans.emplace_back();
    plan.kind = mutex.database ? LockName::Kind::kDatabase : LockName::Kind::kMutex;
    plan.ns = Text(mutex.ns);
    plan.resource = Text(mutex.name);
  }
  return std::make_unique<const LockPlans>(std::move(plans));
}

/// "NAMESPACE/WORKFLOW" for the workflow's own locks, else "NAMESPACE/WORKFLOW/NODE".
std::string Machine::lock_holder(NodeIndex index) const {
  const std::string workflow = fmt::format("{}/{}", workflow_.ns, workflow_.name);
  return index == kNoNode ? workflow : fmt::format("{}/{}", workflow, nodes_.id(index));
}

Result<std::vector<LockName>> Machine::lock_names(const LockPlans& plans, const Variables& variables) {
  std::vector<LockName> names;
  const auto read = [&](const Text& text) { return render(text, globals(), variables, Leftover::kKeep); };
  for (const LockPlan& plan : plans) {
    LockName name;
    name.kind = plan.kind;
    name.semaphore = plan.semaphore;
    TIPHYS_TRY(name.ns, read(plan.ns));
    TIPHYS_TRY(name.resource, read(plan.resource));
    TIPHYS_TRY(name.key, read(plan.key));
    if (name.ns.empty()) name.ns = workflow_.ns;
    if (!LockName::parse(name.text(), name.semaphore)) {
      return fail(Code::kInvalidArgument, fmt::format("{}\"{}\" is no name of a lock", kInvalid, name.text()));
    }
    const auto same = [&](const LockName& other) { return other.id() == name.id(); };
    if (std::ranges::any_of(names, same)) {
      return fail(Code::kInvalidArgument, std::string(kInvalid) + "duplicate synchronization item found");
    }
    names.push_back(std::move(name));
  }
  return names;
}

void Machine::request_locks(NodeIndex index, std::vector<LockName> names) {
  AcquireLocks ask;
  ask.node_id = nodes_.id(index);
  ask.request.holder = lock_holder(index);
  ask.request.locks = std::move(names);
  ask.request.priority = workflow_.spec.priority.value_or(0);
  ask.request.created = workflow_.created;
  if (index != kNoNode) ask.request.rank = rank(index);
  asked_locks_[index] = ask.request.locks;
  effects_->push_back(std::move(ask));
}

// ---- The workflow's own ----

bool Machine::workflow_waits() const {
  return plans_.locks() && (status_.phase == RunStatus::Phase::kUnset || status_.phase == RunStatus::Phase::kPending);
}

void Machine::ask_workflow_locks() {
  auto names = lock_names(*plans_.locks(), NoVariables());
  if (!names) return workflow_locks_refused(names.error().message);
  request_locks(kNoNode, std::move(*names));
}

void Machine::workflow_locks_refused(const std::string& why) {
  end_run(RunStatus::Phase::kFailed, "Failed to acquire the synchronization lock. " + why);
}

void Machine::workflow_locks_answered(const LocksAnswered& event) {
  if (!workflow_waits()) return;
  switch (event.answer) {
    case LocksAnswered::Answer::kRefused:
      forget_locks(kNoNode);
      return workflow_locks_refused(event.message);
    case LocksAnswered::Answer::kWaiting:
      note_awaited(kNoNode, event);
      return set_status(RunStatus::Phase::kPending, event.message);
    case LocksAnswered::Answer::kGranted:
      note_held(kNoNode);
      return begin_run();
  }
}

// ---- A node's ----

/// True, and the node fails, when it must not begin even with its locks: the run is stopped or past its deadline, or
/// its template has failFast and something beside it has failed.
bool Machine::too_late(NodeIndex index) {
  const Node& node = nodes_[index];
  if (doomed(node.on_exit)) {
    set_phase(index, api::NodePhase::kFailed,
              shutdown_.empty() ? "Step exceeded its deadline" : fmt::format("Stopped with strategy '{}'", shutdown_));
  } else if (const Frame* frame = frame_of(node.boundary);
             frame && frame->plan->source->fail_fast && frame->unsuccessful > 0) {
    set_phase(index, api::NodePhase::kFailed, std::string(kFailFast));
  }
  return node.fulfilled();
}

/// What waits in a template that has failed fast.
void Machine::fail_waiting(const Frame& frame) {
  if (frame.waiting == 0) return;
  std::map<Rank, NodeIndex> within;
  for (const NodeIndex index : awaiting_) {
    if (index != kNoNode && nodes_[index].boundary == frame.node) within.emplace(rank(index), index);
  }
  for (const auto& [at, index] : within) too_late(index);
}

/// The node begins once it has all locks of its template.
void Machine::ask_locks(NodeIndex index) {
  if (too_late(index)) return;
  auto names = lock_names(*nodes_[index].plan->locks, BodyVariables(*this, index));
  if (!names) return errored(index, names.error().message);
  request_locks(index, std::move(*names));
  if (const Status set = set_pending_timer(index); !set) errored(index, set.error().message);
}

void Machine::handle(const LocksAnswered& event) {
  if (event.node_id.empty()) return workflow_locks_answered(event);
  const NodeIndex index = nodes_.find_id(event.node_id);
  if (index == kNoNode || !nodes_[index].asks_locks()) return;
  Node& node = nodes_[index];
  if (event.answer == LocksAnswered::Answer::kRefused) {
    forget_locks(index);
    return errored(index, event.message);
  }
  // The answer may come at the deadline, before the timer.
  if (too_late(index)) return;
  if (event.answer == LocksAnswered::Answer::kWaiting) return wait_for_lock(index, event);
  if (must_give_back(node)) {
    effects_->push_back(ReleaseLocks{event.node_id, lock_holder(index)});
    return block(index);
  }
  note_held(index);
  count(node, -1);
  node.has_locks = true;
  node.awaits_lock = false;
  count(node, 1);
  if (node.extra) node.extra->awaited_lock.clear();
  node.message.clear();
  nodes_.touch(index);
  begin_unlocked(index);
  make_room(node);
}

void Machine::wait_for_lock(NodeIndex index, const LocksAnswered& event) {
  Node& node = nodes_[index];
  note_awaited(index, event);
  set_message(index, event.message);
  if (node.extras().awaited_lock != event.awaited) {
    node.extras().awaited_lock = event.awaited;
    nodes_.touch(index);
  }
  if (node.awaits_lock) return;
  count(node, -1);
  node.awaits_lock = true;
  count(node, 1);
  make_room(node);
}

/// A node that waited counted as no pod: there may be no room for it now. Nor does anything begin while the run is
/// suspended. It asks again later, and others have the locks meanwhile.
bool Machine::must_give_back(const Node& node) const {
  if (suspended_) return true;
  if (!node.awaits_lock || node.type != api::NodeType::kPod) return false;
  return workflow_.spec.parallelism && active_pods_ >= *workflow_.spec.parallelism;
}

/// The node has its locks: what is saved decides, unless it was asked for before a user's retry; else it runs.
void Machine::begin_unlocked(NodeIndex index) {
  const Node& node = nodes_[index];
  if (node.asks_cache()) {
    auto question = cache_question(*node.plan, BodyVariables(*this, index));
    if (!question) return errored(index, question.error().message);
    return ask_cache(index, std::move(*question));
  }
  run_open(index);
}

/// At the node's end, whatever it was; a daemon's as soon as it is one.
void Machine::release_locks(NodeIndex index) {
  Node& node = nodes_[index];
  if (!node.plan || !node.plan->locks || node.owner == Owner::kAttempt) return;
  const bool asked = asked_locks_.contains(index);
  if (!asked && !node.has_locks && !node.awaits_lock) return;
  if (node.awaits_lock) {
    count(node, -1);
    node.awaits_lock = false;
    count(node, 1);
    node.extras().awaited_lock.clear();
  }
  node.has_locks = false;
  forget_locks(index);
  effects_->push_back(ReleaseLocks{nodes_.id(index), lock_holder(index)});
}

// ---- status.synchronization ----

void Machine::note_held(NodeIndex index) {
  forget_awaited(index);
  const std::string holder = lock_holder(index);
  api::SynchronizationStatus& status = status_.synchronization;
  for (const LockName& name : asked_locks_[index]) {
    if (name.semaphore) {
      auto& holders = entry(status.semaphores_held, name.text()).holders;
      if (std::ranges::find(holders, holder) == holders.end()) holders.push_back(holder);
    } else {
      entry(status.mutexes_held, name.text()).holder = holder;
    }
  }
  asked_locks_.erase(index);
  status_changed_ = true;
}

void Machine::note_awaited(NodeIndex index, const LocksAnswered& event) {
  api::SynchronizationStatus& status = status_.synchronization;
  const std::vector<LockName>& names = asked_locks_[index];
  const bool first = awaiting_.insert(index).second;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string text = names[i].text();
    const std::vector<std::string>* holders = i < event.holders.size() ? &event.holders[i] : nullptr;
    if (first) ++awaited_[text];
    if (!holders) continue;
    if (names[i].semaphore) {
      entry(status.semaphores_awaited, text).holders = *holders;
    } else if (!holders->empty()) {
      entry(status.mutexes_awaited, text).holder = holders->front();
    }
  }
  status_changed_ = true;
}

void Machine::forget_awaited(NodeIndex index) {
  if (awaiting_.erase(index) == 0) return;
  for (const LockName& name : asked_locks_[index]) {
    const auto count = awaited_.find(name.text());
    if (count == awaited_.end() || --count->second > 0) continue;
    awaited_.erase(count);
    drop(status_.synchronization.semaphores_awaited, name.text());
    drop(status_.synchronization.mutexes_awaited, name.text());
  }
  status_changed_ = true;
}

/// The holder neither has nor awaits anything.
void Machine::forget_locks(NodeIndex index) {
  forget_awaited(index);
  asked_locks_.erase(index);
  const std::string holder = lock_holder(index);
  api::SynchronizationStatus& status = status_.synchronization;
  for (auto& semaphore : status.semaphores_held) std::erase(semaphore.holders, holder);
  std::erase_if(status.semaphores_held, [](const auto& each) { return each.holders.empty(); });
  std::erase_if(status.mutexes_held, [&](const auto& each) { return each.holder == holder; });
  status_changed_ = true;
}

/// A restored run has what its status says; what it waited for it asks for again.
void Machine::load_locks() {
  api::SynchronizationStatus& status = status_.synchronization;
  status.semaphores_awaited.clear();
  status.mutexes_awaited.clear();
  const std::string workflow = lock_holder(kNoNode) + "/";
  const auto mark = [&](const std::string& holder) {
    if (!holder.starts_with(workflow)) return;
    const NodeIndex index = nodes_.find_id(std::string_view(holder).substr(workflow.size()));
    if (index != kNoNode && !nodes_[index].fulfilled()) nodes_[index].has_locks = true;
  };
  for (const auto& semaphore : status.semaphores_held) std::ranges::for_each(semaphore.holders, mark);
  for (const auto& mutex : status.mutexes_held) mark(mutex.holder);
}

}  // namespace tiphys::engine

#include "node/supervisor/warm_inits.h"

#include <algorithm>
#include <csignal>
#include <utility>

namespace tiphys::node {

void WarmInits::begin() {
  if (!can_begin_ || std::ranges::any_of(warms_, [](const Warm& warm) { return !warm.had_step; })) return;
  auto area = memory_.take();
  if (!area) return;
  Warm& warm = warms_.emplace_back();
  warm.init.area = *area;
  Result<pid_t> pid = -1;
  auto root = roots_.take();
  if (root) {
    warm.root = std::move(*root);
    warm.root_path = starter_.absolute(RootPool::path(warm.root));
    pid = starter_.start_warm(warm.plan, *area, warm.root_path.c_str());
  }
  if (root && pid) {
    warm.init.pid = *pid;
    inits_.emplace(*pid, warm.init);
    return;
  }
  // The next step will say what is wrong.
  can_begin_ = false;
  if (root) roots_.give(std::move(warm.root));
  memory_.give_back(*area);
  warms_.pop_back();
}

std::optional<WarmInits::Init> WarmInits::take(PlannedStep& step, void* owner) {
  const auto warm = std::ranges::find_if(
      warms_, [&](const Warm& one) { return one.ready() && held_.fits(one.init.held, step.request.held); });
  if (warm == warms_.end() || !starter_.plan_warm(step, warm->init.held)) return std::nullopt;
  Init init = warm->init;
  step.root = std::move(warm->root);
  warms_.erase(warm);
  StepSlot& slot = *init.area.slot;
  step.plan.root.slot = &slot;
  slot.owner = owner;
  slot.wait_status = slot.log_errno = 0;
  slot.started_ns = slot.ended_ns = 0;
  slot.tell_running.store(0);
  slot.plan.store(&step.plan);
  slot.state.store(StepSlot::kPreparing);
  if (::kill(init.pid, SIGUSR1) == 0) {
    inits_.erase(init.pid);
    step.held = init.held;
    return init;
  }
  slot.owner = nullptr;
  return std::nullopt;
}

/// One in which something was shown has folders for that.
void WarmInits::give_root(const Init& init, std::string root) {
  if (root.empty()) return;
  if (init.held.empty()) return roots_.give(std::move(root));
  roots_.give_unclean(std::move(root));
}

void WarmInits::give(Init init, std::string root, const std::string& dir) {
  Warm& warm = warms_.emplace_back();
  warm.init = std::move(init);
  warm.had_step = warm.told = true;
  warm.root = std::move(root);
  if (warm.root.empty()) warm.root_inode = RootPool::inode(dir + "/root");
  warm.init.area.slot->owner = nullptr;
  inits_.emplace(warm.init.pid, warm.init);
}

void WarmInits::pooled(std::string name) {
  const ino_t inode = RootPool::inode(RootPool::path(name));
  const auto warm = std::ranges::find_if(
      warms_, [&](const Warm& one) { return one.root.empty() && inode != 0 && one.root_inode == inode; });
  if (warm == warms_.end()) return roots_.give_cleared(std::move(name));
  warm->root = std::move(name);
}

void WarmInits::limit(std::size_t most) {
  while (warms_.size() > most) {
    Warm& oldest = warms_.front();
    ::kill(oldest.init.pid, SIGKILL);
    give_root(oldest.init, std::move(oldest.root));
    warms_.pop_front();
  }
}

void WarmInits::ready(const StepSlot* slot) {
  const auto warm = std::ranges::find_if(warms_, [&](const Warm& one) { return one.init.area.slot == slot; });
  if (warm != warms_.end()) warm->told = true;
}

void WarmInits::ended(pid_t pid) {
  const auto init = inits_.find(pid);
  if (init == inits_.end()) return;
  const auto warm = std::ranges::find(warms_, pid, [](const Warm& one) { return one.init.pid; });
  if (warm != warms_.end()) {
    // A new one that could not make its root: the next step will say why.
    if (!warm->had_step && !warm->told) can_begin_ = starter_.try_otherwise(*init->second.area.slot);
    give_root(warm->init, std::move(warm->root));
    warms_.erase(warm);
  }
  memory_.give_back(init->second.area);
  if (!init->second.held.empty()) held_.give(init->second.held);
  inits_.erase(init);
}

}  // namespace tiphys::node

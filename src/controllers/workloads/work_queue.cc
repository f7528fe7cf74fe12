#include "controllers/workloads/work_queue.h"

#include <algorithm>

#include "base/log.h"

namespace tiphys::controllers::workloads {
namespace {

constexpr Duration kFirstRetry = std::chrono::milliseconds(100);
constexpr Duration kLongestRetry = std::chrono::seconds(30);
constexpr int kMostDoublings = 9;

}  // namespace

WorkQueue::~WorkQueue() {
  for (const auto& [name, work] : works_) executor_.cancel(work.timer);
}

void WorkQueue::add(const Name& name) {
  Work& work = works_[name];
  if (work.busy) {
    work.again = true;
  } else if (!work.waiting) {
    work.waiting = true;
    post(name);
  }
}

void WorkQueue::add_at(const Name& name, Time when) {
  Work& work = works_[name];
  if (work.timer != 0 && work.due <= when) return;
  executor_.cancel(work.timer);
  work.due = when;
  work.timer = executor_.schedule(when, [weak = weak_from_this(), name] {
    const auto self = weak.lock();
    if (!self) return;
    self->works_[name].timer = 0;
    self->add(name);
  });
}

void WorkQueue::post(const Name& name) {
  executor_.post([weak = weak_from_this(), name] {
    if (const auto self = weak.lock()) self->look(name);
  });
}

void WorkQueue::look(const Name& name) {
  Work& work = works_[name];
  work.waiting = false;
  work.busy = true;
  look_(name, [weak = weak_from_this(), name](const Status& outcome) {
    if (const auto self = weak.lock()) self->finished(name, outcome);
  });
}

void WorkQueue::finished(const Name& name, const Status& outcome) {
  Work& work = works_[name];
  work.busy = false;
  if (outcome) {
    work.failures = 0;
  } else {
    // A lost race is nothing to tell: the newest state is looked at next.
    if (outcome.error().code != Code::kAborted) {
      log::warn("{} {}/{}: {}", what_, name.first, name.second, outcome.error().message);
    }
    const Duration delay = std::min(kFirstRetry * (1 << std::min(work.failures++, kMostDoublings)), kLongestRetry);
    add_at(name, executor_.now() + delay);
  }
  if (std::exchange(work.again, false)) add(name);
  forget_if_idle(name);
}

void WorkQueue::forget_if_idle(const Name& name) {
  const auto it = works_.find(name);
  if (it == works_.end()) return;
  const Work& work = it->second;
  if (!work.waiting && !work.busy && work.timer == 0) works_.erase(it);
}

}  // namespace tiphys::controllers::workloads

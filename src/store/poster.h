// Tasks for the executor that are forgotten when their owner goes.
#pragma once

#include <memory>

#include "base/executor.h"

namespace tiphys::store {

/// A member of what posts. Post from any thread; destroy on the executor's thread.
class Poster {
 public:
  explicit Poster(Executor& executor) : executor_(executor) {}

  void post(Executor::Task task) { executor_.post(guard(std::move(task))); }
  Time now() const { return executor_.now(); }
  Executor::TimerId schedule(Time when, Executor::Task task) {
    return executor_.schedule(when, guard(std::move(task)));
  }
  /// Nothing that was posted runs any more.
  void stop() { alive_.reset(); }

 private:
  Executor::Task guard(Executor::Task task) {
    return [alive = token_, task = std::move(task)]() mutable {
      if (alive.lock()) task();
    };
  }

  Executor& executor_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
  /// A copy of its own, because stop() may run while another thread posts.
  const std::weak_ptr<const bool> token_ = alive_;
};

}  // namespace tiphys::store

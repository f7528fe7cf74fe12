#include "base/workers.h"

#include "base/blocking_time.h"

namespace tiphys {

Workers::Workers(Executor& executor, int most_threads)
    : executor_(executor), most_threads_(static_cast<std::size_t>(most_threads)) {}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::add(Job job) {
  if (auto* virtual_time = dynamic_cast<BlockingTime*>(&executor_)) {
    jobs_.push_back(std::move(job));
    // Jobs begin in order: each turn does the first that waits.
    auto turn = [this, alive = std::weak_ptr<bool>(alive_)] {
      if (alive.expired()) return;
      Job first = std::move(jobs_.front());
      jobs_.pop_front();
      first();
    };
    const Duration time = virtual_time->time_of_blocking();
    if (time == Duration(0)) return executor_.post(std::move(turn));
    executor_.schedule(executor_.now() + time, std::move(turn));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_ < jobs_.size() && threads_.size() < most_threads_) threads_.emplace_back([this] { loop(); });
  }
  wake_.notify_one();
}

void Workers::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
    --idle_;
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace tiphys

// An Executor with virtual time for tests and simulations: time moves only when nothing is left to do.
#pragma once

#include <deque>
#include <map>

#include "base/blocking_time.h"
#include "base/executor.h"

namespace tiphys {

class SimulatedExecutor final : public Executor, public BlockingTime {
 public:
  explicit SimulatedExecutor(Time start = Time{std::chrono::seconds{1'700'000'000}}) : now_(start) {}

  Time now() override { return now_; }
  void post(Task task) override { ready_.push_back(std::move(task)); }
  TimerId schedule(Time when, Task task) override {
    const TimerId id = ++last_id_;
    timers_.emplace(Key{when, id}, std::move(task));
    return id;
  }
  void cancel(TimerId timer) override {
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->first.id == timer) {
        timers_.erase(it);
        return;
      }
    }
  }

  Duration time_of_blocking() override { return blocking_ ? blocking_() : Duration(0); }
  /// How long blocking jobs take from now on: each is asked for as it begins. Without, they take no time.
  void set_time_of_blocking(std::function<Duration()> time) { blocking_ = std::move(time); }

  /// Runs one task, moving time to the next timer when none is ready. False when nothing is left.
  bool step() {
    if (ready_.empty()) {
      if (timers_.empty()) return false;
      auto next = timers_.extract(timers_.begin());
      if (next.key().when > now_) now_ = next.key().when;
      ready_.push_back(std::move(next.mapped()));
    }
    Task task = std::move(ready_.front());
    ready_.pop_front();
    task();
    return true;
  }
  /// Runs until nothing is left or `done` holds; false when `limit` steps were not enough.
  bool run_until(const std::function<bool()>& done, std::size_t limit = 10'000'000) {
    for (std::size_t i = 0; i < limit; ++i) {
      if (done() || !step()) return true;
    }
    return false;
  }
  /// Runs what is ready, without moving time.
  void run_ready() {
    while (!ready_.empty()) step();
  }
  void set_now(Time now) { now_ = now; }
  std::size_t pending_timers() const { return timers_.size(); }

 private:
  struct Key {
    Time when;
    TimerId id;
    auto operator<=>(const Key&) const = default;
  };
  Time now_;
  TimerId last_id_ = 0;
  std::deque<Task> ready_;
  std::map<Key, Task> timers_;
  std::function<Duration()> blocking_;
};

}  // namespace tiphys

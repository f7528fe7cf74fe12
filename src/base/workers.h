// A few threads for what blocks (copying, packing, hashing); the answers come back on the Executor's thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/executor.h"

namespace tiphys {

class Workers {
 public:
  /// At most `most_threads` run; the first starts with the first job.
  Workers(Executor& executor, int most_threads);
  /// Waits for jobs that run; those that wait are dropped, and no `done` is called any more.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Runs `work` on a thread and gives its value to `done` on the executor. Jobs start in order. Executor's thread
  /// only.
  template <typename Work, typename OnDone>
  void run(Work work, OnDone done) {
    add([this, work = std::move(work), done = std::move(done), alive = std::weak_ptr<bool>(alive_)]() mutable {
      auto value = work();
      executor_.post([value = std::move(value), done = std::move(done), alive = std::move(alive)]() mutable {
        if (!alive.expired()) done(std::move(value));
      });
    });
  }

 private:
  using Job = std::move_only_function<void()>;
  void add(Job job);
  void loop();

  Executor& executor_;
  const std::size_t most_threads_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  std::size_t idle_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tiphys

#include "base/mailbox.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace tiphys {

struct Mailbox::Posted {
  /// Of the tasks the first; none: it has been run.
  Task take() {
    const std::lock_guard lock(mutex);
    if (tasks.empty()) return nullptr;
    Task first = std::move(tasks.front());
    tasks.pop_front();
    return first;
  }

  std::mutex mutex;
  std::condition_variable came;
  std::deque<Task> tasks;
};

Mailbox::Mailbox(Executor& executor) : executor_(executor), posted_(std::make_shared<Posted>()) {}

void Mailbox::post(Task task) {
  {
    const std::lock_guard lock(posted_->mutex);
    posted_->tasks.push_back(std::move(task));
  }
  posted_->came.notify_one();
  executor_.post([posted = posted_] {
    if (Task first = posted->take()) first();
  });
}

void Mailbox::run_until(const std::function<bool()>& done, Duration most) {
  const auto latest = std::chrono::steady_clock::now() + most;
  while (!done()) {
    {
      std::unique_lock lock(posted_->mutex);
      if (!posted_->came.wait_until(lock, latest, [&] { return !posted_->tasks.empty(); })) return;
    }
    if (Task first = posted_->take()) first();
  }
}

}  // namespace tiphys

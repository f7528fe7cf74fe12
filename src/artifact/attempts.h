// Trying again what passes by itself.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "artifact/stores.h"

namespace tiphys::artifact {

/// What an attempt has come to; an error that `passes` is worth another.
struct Attempt {
  Status status{};
  bool passes = false;
};

/// True for errors of the network that pass.
bool passes(const Error& error);
/// True for answers of HTTP that say so.
bool passes(int http_status);

/// Runs `attempt` until it succeeds, fails for good, or has been made as often as the plan says. A stop ends a wait.
template <typename Try>
Status with_attempts(const RetryPlan& plan, const std::stop_token& stop, Try attempt) {
  auto wait = std::chrono::duration<double, std::milli>(plan.first_wait);
  for (int made = 1;; ++made) {
    Attempt result = attempt();
    if (result.status || !result.passes || stop.stop_requested()) return std::move(result.status);
    if (made >= plan.attempts) {
      return std::unexpected(result.status.error().in("timed out waiting for the condition"));
    }
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any stopped;
    stopped.wait_for(lock, stop, wait, [] { return false; });
    wait *= plan.factor;
  }
}

}  // namespace tiphys::artifact

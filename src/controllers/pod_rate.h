// How many pods are created a second: the controller configuration's resourceRateLimit. Original: a token bucket of
// golang.org/x/time/rate, which reserveRateLimiter of workflow/controller/workflowpod_deps.go asks.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "api/controller_config.h"
#include "base/executor.h"

namespace tiphys::controllers {

/// What a node's message says while its pod waits for its turn.
inline constexpr const char* kPodRateReached = "resource creation rate-limit reached";

/// Whoever waits has its turn in the order of asking; in the original it asks again some time later.
class PodRate {
 public:
  using Limit = std::optional<api::ControllerConfig::PodRate>;
  /// How long a pod has waited, zero included.
  using Delayed = std::function<void(Duration)>;

  PodRate(Executor& executor, Limit limit, Delayed delayed = {});
  ~PodRate();
  PodRate(const PodRate&) = delete;
  PodRate& operator=(const PodRate&) = delete;

  /// A pod may be created now, and counts; never while others wait.
  bool take();
  /// Calls `turn` later, once a pod may be created. It says whether it creates one: else it does not count.
  void wait(std::move_only_function<bool()> turn);

 private:
  void refill();
  void schedule();
  void give_turns();
  void tell_delay(Time since);

  Executor& executor_;
  Limit limit_;
  double tokens_ = 0;  ///< at `filled_`: pods that may be created at once
  Time filled_;
  const Delayed delayed_;
  struct Waiting {
    std::move_only_function<bool()> turn;
    Time since;
  };
  std::deque<Waiting> waiting_;
  Executor::TimerId timer_ = 0;
};

}  // namespace tiphys::controllers

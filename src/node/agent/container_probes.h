// The probes of a container, as a kubelet carries them out: startup first, then readiness and liveness.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "node/agent/handler.h"

namespace tiphys::node {

struct ProbeSpec {
  Handler handler;
  Duration initial_delay{0}, period = std::chrono::seconds(10), timeout = std::chrono::seconds(1);
  int successes = 1, failures = 3;  ///< in a row, that make a verdict
  std::optional<Duration> grace;    ///< between SIGTERM and SIGKILL when its verdict ends the container
};

/// One probe, until it is destroyed.
class Probe {
 public:
  /// `on_verdict` tells that so many in a row were good, or bad, with the reason of the last. It may destroy the probe.
  Probe(HandlerWorld world, ProbeSpec spec, std::function<void(bool good, const std::string& reason)> on_verdict);
  ~Probe();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

 private:
  class State;
  std::shared_ptr<State> state_;
};

/// All probes of a container that runs, until they are destroyed.
class ContainerProbes {
 public:
  struct Events {
    std::function<void()> on_started;          ///< once, when the startup probe says so: later, or at once without one
    std::function<void(bool ready)> on_ready;  ///< each change; it is not ready at first
    /// Once: it is to be ended, which probe says so and why, with this grace if not the pod's.
    std::function<void(std::string reason, std::optional<Duration> grace)> on_unhealthy;
  };
  /// Reads `container`'s probes and begins; `address` is the pod's.
  static Result<std::unique_ptr<ContainerProbes>> begin(HandlerWorld world, const doc::Value& container,
                                                        const std::string& address, Events events);

 private:
  ContainerProbes(HandlerWorld world, Events events) : world_(std::move(world)), events_(std::move(events)) {}
  void start();
  void has_started();
  void unhealthy(std::string_view probe, const std::string& reason, std::optional<Duration> grace);

  HandlerWorld world_;
  Events events_;
  std::optional<ProbeSpec> startup_spec_, readiness_spec_, liveness_spec_;
  std::unique_ptr<Probe> startup_, readiness_, liveness_;
  bool ready_ = false;
};

}  // namespace tiphys::node

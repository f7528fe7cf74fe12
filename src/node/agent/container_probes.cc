#include "node/agent/container_probes.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>

namespace tiphys::node {
namespace {

std::int64_t number(const doc::Value& probe, std::string_view field, std::int64_t fallback) {
  const doc::Value* value = doc::find(probe, field);
  return value && value->is_int64() && value->get_int64() > 0 ? value->get_int64() : fallback;
}

/// Nothing when the container has no such probe.
Result<std::optional<ProbeSpec>> read_probe(const doc::Value& container, const std::string& address,
                                            std::string_view name) {
  const doc::Value* probe = doc::find(container, name);
  if (!probe || !probe->is_object()) return std::nullopt;
  ProbeSpec spec;
  TIPHYS_TRY(spec.handler, parse_handler(*probe, container, address, name));
  spec.initial_delay = std::chrono::seconds(number(*probe, "initialDelaySeconds", 0));
  spec.period = std::chrono::seconds(number(*probe, "periodSeconds", 10));
  spec.timeout = std::chrono::seconds(number(*probe, "timeoutSeconds", 1));
  spec.successes = static_cast<int>(number(*probe, "successThreshold", 1));
  spec.failures = static_cast<int>(number(*probe, "failureThreshold", 3));
  if (const std::int64_t grace = number(*probe, "terminationGracePeriodSeconds", 0); grace > 0) {
    spec.grace = std::chrono::seconds(grace);
  }
  return spec;
}

}  // namespace

class Probe::State : public std::enable_shared_from_this<State> {
 public:
  State(HandlerWorld world, ProbeSpec spec, std::function<void(bool, const std::string&)> on_verdict)
      : world_(std::move(world)), spec_(std::move(spec)), on_verdict_(std::move(on_verdict)), pause_(world_.context) {}

  void begin() { wait(spec_.initial_delay); }
  void end() {
    on_verdict_ = nullptr;
    pause_.cancel();
    run_.reset();
  }

 private:
  void wait(Duration pause) {
    pause_.expires_after(std::chrono::duration_cast<std::chrono::milliseconds>(pause));
    pause_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && self->on_verdict_) self->probe();
    });
  }

  void probe() {
    run_.emplace(world_, spec_.handler, spec_.timeout, [weak = weak_from_this()](Finding finding, std::string reason) {
      if (const auto self = weak.lock()) self->judge(finding, reason);
    });
  }

  void judge(Finding finding, const std::string& reason) {
    if (finding != Finding::kUnknown) {
      const bool good = finding == Finding::kGood;
      in_a_row_ = good == last_ ? in_a_row_ + 1 : 1;
      last_ = good;
      // A copy: it may end this probe.
      if (const auto tell = on_verdict_; tell && in_a_row_ == (good ? spec_.successes : spec_.failures)) {
        tell(good, reason);
      }
    }
    if (on_verdict_) wait(spec_.period);
  }

  const HandlerWorld world_;
  const ProbeSpec spec_;
  std::function<void(bool, const std::string&)> on_verdict_;
  boost::asio::steady_timer pause_;
  std::optional<HandlerRun> run_;
  std::optional<bool> last_;
  int in_a_row_ = 0;
};

Probe::Probe(HandlerWorld world, ProbeSpec spec, std::function<void(bool good, const std::string& reason)> on_verdict)
    : state_(std::make_shared<State>(std::move(world), std::move(spec), std::move(on_verdict))) {
  state_->begin();
}

Probe::~Probe() {
  state_->end();
}

Result<std::unique_ptr<ContainerProbes>> ContainerProbes::begin(HandlerWorld world, const doc::Value& container,
                                                                const std::string& address, Events events) {
  auto probes = std::unique_ptr<ContainerProbes>(new ContainerProbes(std::move(world), std::move(events)));
  TIPHYS_TRY(probes->startup_spec_, read_probe(container, address, "startupProbe"));
  TIPHYS_TRY(probes->readiness_spec_, read_probe(container, address, "readinessProbe"));
  TIPHYS_TRY(probes->liveness_spec_, read_probe(container, address, "livenessProbe"));
  probes->start();
  return probes;
}

void ContainerProbes::start() {
  if (!startup_spec_) return has_started();
  startup_ = std::make_unique<Probe>(world_, *startup_spec_, [this](bool good, const std::string& reason) {
    if (!good) return unhealthy("startup", reason, startup_spec_->grace);
    startup_.reset();
    has_started();
  });
}

/// Until now it is neither ready nor ended for what it does.
void ContainerProbes::has_started() {
  if (liveness_spec_) {
    liveness_ = std::make_unique<Probe>(world_, *liveness_spec_, [this](bool good, const std::string& reason) {
      if (!good) unhealthy("liveness", reason, liveness_spec_->grace);
    });
  }
  if (readiness_spec_) {
    readiness_ = std::make_unique<Probe>(world_, *readiness_spec_, [this](bool good, const std::string&) {
      if (std::exchange(ready_, good) != good) events_.on_ready(good);
    });
  }
  events_.on_started();
  if (!readiness_spec_) events_.on_ready(true);
}

void ContainerProbes::unhealthy(std::string_view probe, const std::string& reason, std::optional<Duration> grace) {
  startup_.reset();
  liveness_.reset();
  events_.on_unhealthy(fmt::format("failed {} probe: {}", probe, reason), grace);
}

}  // namespace tiphys::node

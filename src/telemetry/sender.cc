#include "telemetry/sender.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace tiphys::telemetry {
namespace {

using Kind = Delivery::Kind;
using namespace std::chrono_literals;

constexpr Duration kFirstDelay = 5s;
constexpr Duration kLongestDelay = 30s;
constexpr Duration kLongestEffort = 60s;
/// Whatever the collector says, it is not asked without a pause.
constexpr Duration kShortestDelay = 100ms;

}  // namespace

Sender::Sender(Executor& executor, web::HttpClient& http, Random& random, Endpoint endpoint, Dropped dropped)
    : executor_(executor), http_(http), random_(random), endpoint_(std::move(endpoint)), dropped_(std::move(dropped)) {}

Sender::~Sender() {
  executor_.cancel(timer_);
}

void Sender::send(Shipment shipment, std::move_only_function<void()> done) {
  TIPHYS_CHECK(idle(), "one shipment at a time");
  shipment_ = std::move(shipment);
  done_ = std::move(done);
  first_attempt_ = executor_.now();
  attempt();
}

void Sender::attempt() {
  call_ = http_.send(collector_request(endpoint_, shipment_->message),
                     [this](const Result<web::HttpAnswer>& answer) { answered(answer); });
}

void Sender::answered(const Result<web::HttpAnswer>& answer) {
  const Delivery delivery = delivery_of(endpoint_, answer, executor_.now());
  if (delivery.kind == Kind::kTaken) {
    arrived(*shipment_, delivery);
    shipment_.reset();
    delay_ = Duration::zero();
    return pause(Duration::zero());
  }
  const bool too_late = executor_.now() - first_attempt_ >= kLongestEffort;
  const bool again = delivery.kind == Kind::kAgain && !too_late;
  fails(delivery.why, again ? "they are sent again" : "they are lost");
  if (!again) {
    dropped_(shipment_->items);
    shipment_.reset();
  }
  // The next one would have no better luck at once.
  const Duration delay = next_delay();
  pause(delivery.wait ? std::max(*delivery.wait, kShortestDelay) : delay);
}

void Sender::pause(Duration time) {
  timer_ = executor_.schedule(executor_.now() + time, [this] {
    timer_ = 0;
    call_.reset();
    if (shipment_) return attempt();
    std::exchange(done_, nullptr)();
  });
}

/// Half as long again each time; of that at least a half, so that many planes do not come at once.
Duration Sender::next_delay() {
  delay_ = delay_ == Duration::zero() ? kFirstDelay : std::min(delay_ + delay_ / 2, kLongestDelay);
  const double part = 0.5 + 0.5 * static_cast<double>(random_.next() >> 11) * 0x1.0p-53;
  return std::chrono::duration_cast<Duration>(delay_ * part);
}

void Sender::arrived(const Shipment& shipment, const Delivery& delivery) {
  if (std::exchange(failing_, false)) {
    log::warn("{} reach {} again", signal_name(endpoint_.signal), endpoint_.shown());
  }
  const auto rejected = std::min(static_cast<std::size_t>(delivery.rejected), shipment.items);
  if (rejected > 0) dropped_(rejected);
  if (!delivery.why.empty() && !std::exchange(told_rejected_, true)) {
    log::warn("{} has not taken {} of {} {}: {}", endpoint_.shown(), rejected, shipment.items,
              endpoint_.signal == Signal::kTraces ? "spans" : "data points", delivery.why);
  }
}

void Sender::fails(std::string_view why, std::string_view consequence) {
  if (std::exchange(failing_, true)) return;
  log::warn("{} do not reach {}: {}; {}", signal_name(endpoint_.signal), endpoint_.shown(), why, consequence);
}

std::optional<Shipment> Sender::stop() {
  call_.reset();
  executor_.cancel(std::exchange(timer_, 0));
  done_ = nullptr;
  return std::exchange(shipment_, std::nullopt);
}

bool Sender::settle(const Shipment& shipment, const Result<web::HttpAnswer>& answer) {
  const Delivery delivery = delivery_of(endpoint_, answer, executor_.now());
  if (delivery.kind == Kind::kTaken) {
    arrived(shipment, delivery);
    return true;
  }
  fails(delivery.why, "they are lost");
  dropped_(shipment.items);
  return false;
}

}  // namespace tiphys::telemetry

#include "controllers/pod_rate.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tiphys::controllers {

PodRate::PodRate(Executor& executor, Limit limit, Delayed delayed)
    : executor_(executor), limit_(limit), filled_(executor.now()), delayed_(std::move(delayed)) {
  if (limit_) tokens_ = static_cast<double>(limit_->burst);
}

PodRate::~PodRate() {
  executor_.cancel(timer_);
}

bool PodRate::take() {
  if (limit_) {
    refill();
    if (!waiting_.empty() || tokens_ < 1) return false;
    tokens_ -= 1;
  }
  if (delayed_) delayed_(Duration(0));
  return true;
}

void PodRate::tell_delay(Time since) {
  if (delayed_) delayed_(std::max(executor_.now() - since, Duration(0)));
}

void PodRate::wait(std::move_only_function<bool()> turn) {
  waiting_.push_back({std::move(turn), executor_.now()});
  if (timer_ == 0) schedule();
}

/// The clock may jump: back gives nothing, forth no more than the burst.
void PodRate::refill() {
  const Time now = executor_.now();
  const double seconds = std::chrono::duration<double>(now - filled_).count();
  tokens_ = std::min(tokens_ + std::max(seconds, 0.0) * limit_->limit, static_cast<double>(limit_->burst));
  filled_ = now;
}

void PodRate::schedule() {
  // At least a millisecond, so that a rounded sum that lacks a little of a whole pod does not spin; at most a day, so
  // that every limit gives a time.
  const double seconds = std::clamp((1 - tokens_) / limit_->limit, 0.001, 86'400.0);
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
  timer_ = executor_.schedule(filled_ + pause, [this] { give_turns(); });
}

void PodRate::give_turns() {
  timer_ = 0;
  refill();
  while (!waiting_.empty() && tokens_ >= 1) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    if (!next.turn()) continue;
    tokens_ -= 1;
    tell_delay(next.since);
  }
  if (!waiting_.empty() && timer_ == 0) schedule();
}

}  // namespace tiphys::controllers

// The lines of a watch on their way to a client.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "server/responder.h"

namespace tiphys::server {

/// Writes each line at once, unless they keep coming: then those of some milliseconds go together. What a line costs is
/// mostly what the system takes to send something, and many watchers of what changes often would keep it busy with that
/// alone.
class EventWriter {
 public:
  /// How long a line may wait for others.
  static constexpr Duration kGathering = std::chrono::milliseconds(20);
  /// So many lines do not wait, however soon they follow each other: what a pod goes through in its life, say. Each
  /// such time without any gives one back.
  static constexpr int kAtOnce = 10;

  /// The responder may go before.
  EventWriter(Executor& executor, std::weak_ptr<Responder> to) : executor_(executor), to_(std::move(to)) {}
  ~EventWriter() { executor_.cancel(timer_); }
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  /// The line {"type", "object"}; `object` is JSON.
  void write(std::string_view type, std::string_view object);
  /// Writes what has been gathered.
  void flush();

 private:
  void wait();

  Executor& executor_;
  const std::weak_ptr<Responder> to_;
  std::string gathered_;
  int at_once_ = kAtOnce;        ///< lines that need not wait
  Executor::TimerId timer_ = 0;  ///< runs until nothing is gathered and at_once_ is full again
};

}  // namespace tiphys::server

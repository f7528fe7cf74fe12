// The one thread of a command: its event loop, clock and signals. Asio stays in loop.cc and what composes a plane.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "base/executor.h"

namespace boost::asio {
class io_context;
}

namespace tiphys::cli {

class Loop {
 public:
  Loop();
  ~Loop();

  boost::asio::io_context& context();
  Executor& executor();
  Time now() { return executor().now(); }

  /// Runs what happens until `done` holds; it is asked after each event.
  void run_until(const std::function<bool()>& done);
  /// From now on these signals call `handler` on this thread instead of what they do to a process. One handler at a
  /// time; an empty one gives them back.
  void on_signals(std::initializer_list<int> signals, std::function<void(int signal)> handler);
  /// Calls `handler` on this thread once standard input has ended, or cannot be read.
  void on_input_end(std::function<void()> handler);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tiphys::cli

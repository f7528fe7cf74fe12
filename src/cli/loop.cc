#include "cli/loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <optional>

#include "base/asio_executor.h"

namespace tiphys::cli {

struct Loop::State {
  // One thread runs it, so Asio may leave out what coordinates several.
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
  std::unique_ptr<Executor> executor = make_asio_executor(context);
  std::optional<boost::asio::signal_set> signals;
  std::function<void(int)> handler;

  void wait_for_signal() {
    signals->async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      wait_for_signal();
      // The handler may put another in its place.
      if (const auto current = handler) current(signal);
    });
  }
};

Loop::Loop() : state_(std::make_unique<State>()) {}
Loop::~Loop() = default;

boost::asio::io_context& Loop::context() {
  return state_->context;
}
Executor& Loop::executor() {
  return *state_->executor;
}

void Loop::run_until(const std::function<bool()>& done) {
  while (!done()) state_->context.run_one();
}

void Loop::on_signals(std::initializer_list<int> signals, std::function<void(int)> handler) {
  state_->handler = std::move(handler);
  state_->signals.reset();
  if (!state_->handler) return;
  state_->signals.emplace(state_->context);
  for (const int signal : signals) {
    boost::system::error_code ignored;  // only an invalid signal number fails
    state_->signals->add(signal, ignored);
  }
  state_->wait_for_signal();
}

}  // namespace tiphys::cli

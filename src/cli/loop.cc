#include "cli/loop.h"

#include <unistd.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
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
  std::optional<boost::asio::posix::stream_descriptor> input;
  std::array<char, 512> ignored{};

  void wait_for_input_end(std::function<void()> at_end) {
    input->async_read_some(boost::asio::buffer(ignored),
                           [this, at_end = std::move(at_end)](boost::system::error_code error, std::size_t) mutable {
                             error ? at_end() : wait_for_input_end(std::move(at_end));
                           });
  }

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

void Loop::on_input_end(std::function<void()> handler) {
  boost::system::error_code error;
  state_->input.emplace(state_->context);
  state_->input->assign(::dup(STDIN_FILENO), error);
  if (error) return executor().post(std::move(handler));
  state_->wait_for_input_end(std::move(handler));
}

}  // namespace tiphys::cli

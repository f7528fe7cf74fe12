#include "node/process/step_exec.h"

#include <fmt/format.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

namespace tiphys::node {
namespace {

namespace asio = boost::asio;
using Done = std::move_only_function<void(Result<int>)>;

class Execution : public std::enable_shared_from_this<Execution> {
 public:
  Execution(asio::io_context& context, StepCommand command, Done done)
      : pid_(command.pid), ended_(context, command.process.release()), timer_(context), done_(std::move(done)) {}

  void begin(Duration timeout) {
    ended_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](boost::system::error_code) { self->reap(); });
    timer_.expires_after(std::chrono::duration_cast<std::chrono::milliseconds>(timeout));
    timer_.async_wait([self = shared_from_this(), timeout](boost::system::error_code error) {
      if (error) return;
      self->late_ = fmt::format("the command has not ended after {} ms",
                                std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
      kill_command(self->pid_);
    });
  }

 private:
  void reap() {
    timer_.cancel();
    const int code = reap_command(pid_);
    if (!late_.empty()) return done_(fail(Code::kDeadlineExceeded, late_));
    done_(code);
  }

  const pid_t pid_;
  asio::posix::stream_descriptor ended_;
  asio::steady_timer timer_;
  Done done_;
  std::string late_;
};

}  // namespace

void run_in_step(asio::io_context& context, const StepProcess& step, std::vector<std::string> command, Duration timeout,
                 Done done) {
  auto started = start_in_step(step, std::move(command), {});
  if (!started) {
    return asio::post(context, [done = std::move(done), error = std::move(started.error())]() mutable {
      done(std::unexpected(std::move(error)));
    });
  }
  std::make_shared<Execution>(context, std::move(*started), std::move(done))->begin(timeout);
}

}  // namespace tiphys::node

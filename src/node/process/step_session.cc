#include "node/process/step_session.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <ctime>
#include <optional>

namespace tiphys::node {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using boost::system::error_code;

/// Both ends of the command's streams.
struct Ends {
  UniqueFd in, out, err;  ///< ours; a terminal is `out` alone
  UniqueFd command_in, command_out, command_err;
};

Status make_pipe(UniqueFd& read_end, UniqueFd& write_end, UniqueFd& ours) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return fail_errno("make a pipe", errno);
  read_end.reset(fds[0]);
  write_end.reset(fds[1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  return {};
}

Status make_terminal(Ends& ends) {
  ends.out.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 64> name{};
  if (!ends.out || ::grantpt(ends.out.get()) != 0 || ::unlockpt(ends.out.get()) != 0 ||
      ::ptsname_r(ends.out.get(), name.data(), name.size()) != 0) {
    return fail_errno("make a terminal", errno);
  }
  ends.command_in.reset(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!ends.command_in) return fail_errno("open a terminal", errno);
  return {};
}

Result<Ends> make_ends(const cluster::SessionOptions& options) {
  Ends ends;
  if (options.tty) {
    TIPHYS_CHECK_OK(make_terminal(ends));
    return ends;
  }
  if (options.in) TIPHYS_CHECK_OK(make_pipe(ends.command_in, ends.in, ends.in));
  if (options.out) TIPHYS_CHECK_OK(make_pipe(ends.out, ends.command_out, ends.out));
  if (options.err) TIPHYS_CHECK_OK(make_pipe(ends.err, ends.command_err, ends.err));
  return ends;
}

StepStreams streams_of(const Ends& ends, bool tty) {
  if (!tty) return {ends.command_in.get(), ends.command_out.get(), ends.command_err.get()};
  const int terminal = ends.command_in.get();
  return {terminal, terminal, terminal, true};
}

/// write(2) to a pipe whose reader may be gone.
ssize_t write_quietly(int fd, std::string_view bytes) {
  sigset_t pipes, before, pending;
  ::sigemptyset(&pipes);
  ::sigaddset(&pipes, SIGPIPE);
  ::sigpending(&pending);
  ::pthread_sigmask(SIG_BLOCK, &pipes, &before);
  const ssize_t count = ::write(fd, bytes.data(), bytes.size());
  const int error = errno;
  if (count < 0 && error == EPIPE && !::sigismember(&pending, SIGPIPE)) {
    const timespec at_once{};
    ::sigtimedwait(&pipes, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return count;
}

/// Lives on until the command is reaped, also when nobody is interested any more.
class Running : public std::enable_shared_from_this<Running> {
 public:
  Running(asio::io_context& context, StepCommand command, Ends ends, bool tty)
      : context_(context), pid_(command.pid), process_(context, command.process.release()), tty_(tty) {
    open(in_, ends.in);
    open(outputs_[0].end, ends.out);
    open(outputs_[1].end, ends.err);
  }

  void begin() {
    process_.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](error_code) { self->ended(); });
  }

  void abandon() {
    abandoned_ = true;
    if (!code_) kill_command(pid_);
    in_.reset();
    for (Output& output : outputs_) output = {};
    write_ = nullptr;
    wait_ = nullptr;
  }

  void read(cluster::Session::Output from, cluster::Done<std::string> done) {
    Output& output = outputs_[from == cluster::Session::Output::kOut ? 0 : 1];
    output.read = std::move(done);
    // What is there already comes without waiting, by another turn nevertheless.
    asio::post(context_, [self = shared_from_this(), &output] { self->read_some(output); });
  }

  void write(std::string bytes, cluster::Done<void> done) {
    write_ = std::move(done);
    to_write_ = std::move(bytes);
    written_ = 0;
    asio::post(context_, [self = shared_from_this()] { self->write_some(); });
  }

  void close_input() {
    if (!tty_) return in_.reset();
    // A terminal has no end; what one types for it works where lines are read.
    termios modes{};
    if (!input() || ::tcgetattr(input()->native_handle(), &modes) != 0 || !(modes.c_lflag & ICANON)) return;
    write(std::string(1, static_cast<char>(modes.c_cc[VEOF])), [](const Status&) {});
  }

  void resize(unsigned short columns, unsigned short rows) {
    if (!tty_ || !input()) return;
    const winsize size{rows, columns, 0, 0};
    ::ioctl(input()->native_handle(), TIOCSWINSZ, &size);
  }

  void wait(cluster::Done<int> done) {
    wait_ = std::move(done);
    if (code_) asio::post(context_, [self = shared_from_this()] { self->tell_end(); });
  }

 private:
  struct Output {
    std::optional<stream_descriptor> end;
    cluster::Done<std::string> read;
  };

  void open(std::optional<stream_descriptor>& end, UniqueFd& fd) {
    if (fd) end.emplace(context_, fd.release());
  }

  static void answer(Output& output, std::string piece) {
    if (piece.empty()) output.end.reset();
    if (auto read = std::exchange(output.read, nullptr)) read(std::move(piece));
  }

  void read_some(Output& output) {
    if (!output.read) return;
    if (!output.end) return answer(output, "");
    std::string piece(cluster::Session::kMostPieceBytes, '\0');
    const ssize_t count = ::read(output.end->native_handle(), piece.data(), piece.size());
    if (count > 0) {
      piece.resize(static_cast<std::size_t>(count));
      return answer(output, std::move(piece));
    }
    const bool later = count < 0 && (errno == EAGAIN || errno == EINTR);
    // Of an ended command all is there; what it has left behind may keep the stream open for ever. A terminal without a
    // command gives EIO.
    if (!later || code_) return answer(output, "");
    output.end->async_wait(stream_descriptor::wait_read, [self = shared_from_this(), &output](error_code) {
      if (!self->abandoned_) self->read_some(output);
    });
  }

  void write_some() {
    if (!write_) return;
    while (input() && !code_ && written_ < to_write_.size()) {
      const ssize_t count = write_quietly(input()->native_handle(), std::string_view(to_write_).substr(written_));
      if (count >= 0) {
        written_ += static_cast<std::size_t>(count);
      } else if (errno == EAGAIN) {
        return input()->async_wait(stream_descriptor::wait_write,
                                   [self = shared_from_this()](error_code) { self->write_some(); });
      } else if (errno != EINTR) {
        break;
      }
    }
    auto done = std::exchange(write_, nullptr);
    if (written_ == to_write_.size()) return done(Status());
    done(fail(Code::kUnavailable, "the command reads no more"));
  }

  /// What the command reads from.
  std::optional<stream_descriptor>& input() { return tty_ ? outputs_[0].end : in_; }

  void ended() {
    siginfo_t state{};
    // A wait may end early; reaping would block.
    if (::waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 && state.si_pid == 0) {
      return begin();
    }
    code_ = reap_command(pid_);
    if (abandoned_) return;
    // Their waits end, and they see that nothing more can come.
    error_code ignored;
    for (Output& output : outputs_) {
      if (output.end) output.end->cancel(ignored);
    }
    if (in_) in_->cancel(ignored);
    tell_end();
  }

  void tell_end() {
    if (auto done = std::exchange(wait_, nullptr)) done(*code_);
  }

  asio::io_context& context_;
  const pid_t pid_;
  stream_descriptor process_;
  const bool tty_;
  bool abandoned_ = false;
  std::optional<int> code_;
  std::optional<stream_descriptor> in_;
  std::array<Output, 2> outputs_;
  std::string to_write_;
  std::size_t written_ = 0;
  cluster::Done<void> write_;
  cluster::Done<int> wait_;
};

class StepSession final : public cluster::Session {
 public:
  explicit StepSession(std::shared_ptr<Running> running) : running_(std::move(running)) {}
  ~StepSession() override { running_->abandon(); }

  void read(Output from, cluster::Done<std::string> done) override { running_->read(from, std::move(done)); }
  void write(std::string bytes, cluster::Done<void> done) override {
    running_->write(std::move(bytes), std::move(done));
  }
  void close_input() override { running_->close_input(); }
  void resize(unsigned short columns, unsigned short rows) override { running_->resize(columns, rows); }
  void wait(cluster::Done<int> done) override { running_->wait(std::move(done)); }

 private:
  std::shared_ptr<Running> running_;
};

}  // namespace

Result<std::unique_ptr<cluster::Session>> open_in_step(asio::io_context& context, const StepProcess& step,
                                                       cluster::SessionOptions options) {
  TIPHYS_TRY(Ends ends, make_ends(options));
  TIPHYS_TRY(StepCommand command, start_in_step(step, std::move(options.command), streams_of(ends, options.tty)));
  const auto running = std::make_shared<Running>(context, std::move(command), std::move(ends), options.tty);
  running->begin();
  return std::make_unique<StepSession>(running);
}

}  // namespace tiphys::node

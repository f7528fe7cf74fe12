#include "expr/confined.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "base/unique_fd.h"

namespace tiphys::expr {
namespace {

using Clock = std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitsMemory = false;  // their shadow memory is larger than any limit
#else
constexpr bool kLimitsMemory = true;
#endif

/// Kills and reaps the child, unless that has been done.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  /// Its wait status; 0 when somebody else has reaped it.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }
  void end() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }

 private:
  pid_t pid_;
};

/// No signal reaches the child: handlers of this process would act for the parent, through descriptors that they share.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

/// What the process has mapped already.
std::size_t address_space() {
  std::array<char, 64> text{};
  const UniqueFd file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  if (::read(file.get(), text.data(), text.size() - 1) <= 0) return 0;
  return std::strtoull(text.data(), nullptr, 10) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Runs in the child, where other threads have left their locks as they were: system calls only, until `work`.
[[noreturn]] void run_in_child(const std::function<void(int)>& work, int out, const Confinement& limits,
                               pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) ::signal(signal, SIG_DFL);
  static std::array<char*, 1> no_environment{};
  ::environ = no_environment.data();
  const int kept = ::fcntl(out, F_DUPFD, STDERR_FILENO + 1);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (kept < 0 || null < 0) ::_exit(1);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  if (kLimitsMemory) limit(RLIMIT_AS, address_space() + limits.memory);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_NOFILE, 0);
  limit(RLIMIT_CPU, static_cast<rlim_t>(limits.cpu_time.count()));
  work(kept);
  ::_exit(0);
}

std::unexpected<Error> too_slow(const Confinement& limits, bool waited) {
  const auto limit = waited ? limits.wall_time : limits.cpu_time;
  return fail(Code::kDeadlineExceeded, fmt::format("it takes more than {} s", limit.count()));
}

Status explain(int status, const Confinement& limits) {
  if (!WIFSIGNALED(status)) return {};
  switch (WTERMSIG(status)) {
    case SIGKILL:
    case SIGXCPU:
      return too_slow(limits, false);
    case SIGABRT:
      return fail(Code::kResourceExhausted, "it needs too much memory");
    case SIGSEGV:
    case SIGBUS:
      return fail(Code::kAborted, "it crashes: it may nest too deeply");
    default:
      return fail(Code::kAborted, fmt::format("it was ended by signal {}", WTERMSIG(status)));
  }
}

/// Reads what is there. False at the end of the text.
bool drain(int fd, std::string& text, std::size_t limit) {
  std::array<char, 65536> buffer;
  while (text.size() <= limit) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      return count < 0 && errno == EAGAIN;
    }
  }
  return true;
}

/// Reads until the child has ended. Its end is waited for, not that of the pipe: children of other threads may hold it.
Result<std::string> read_output(int fd, pid_t pid, const Confinement& limits) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const auto deadline = Clock::now() + limits.wall_time;
  std::string text;
  for (bool more = true; more;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return too_slow(limits, true);
    std::array<pollfd, 2> polled{{{fd, POLLIN, 0}, {process.get(), POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      return fail_errno("poll", errno);
    }
    more = drain(fd, text, limits.output) && polled[1].revents == 0;
    if (text.size() > limits.output) {
      return fail(Code::kResourceExhausted, fmt::format("it writes more than {} MiB", limits.output >> 20));
    }
  }
  return text;
}

}  // namespace

Result<std::string> run_confined(const std::function<void(int out)>& work, const Confinement& limits) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("pipe", errno);
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  ::fcntl(in.get(), F_SETFL, O_NONBLOCK);
  std::optional<BlockedSignals> blocked(std::in_place);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) run_in_child(work, out.get(), limits, parent);
  const int error = errno;
  blocked.reset();
  if (pid < 0) return fail_errno("fork", error);
  Child child(pid);
  out.reset();
  TIPHYS_TRY(std::string text, read_output(in.get(), child.pid(), limits));
  TIPHYS_CHECK_OK(explain(child.wait(), limits));
  return text;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace tiphys::expr

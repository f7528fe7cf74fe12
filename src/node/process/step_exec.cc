#include "node/process/step_exec.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/unique_fd.h"

namespace tiphys::node {
namespace {

namespace asio = boost::asio;
using Done = std::move_only_function<void(Result<int>)>;

/// The first child of the init, whose namespaces an ordinary user may enter: the init's memory is the supervisor's, and
/// nobody may look into that.
pid_t program_of(pid_t init) {
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", init));
  pid_t program = 0;
  children >> program;
  return program;
}

bool in_other_user_namespace(pid_t pid) {
  std::error_code none;
  return std::filesystem::read_symlink(fmt::format("/proc/{}/ns/user", pid), none) !=
         std::filesystem::read_symlink("/proc/self/ns/user", none);
}

/// The folder of the step is entered by a shell inside: outside it has another path.
std::vector<std::string> argv_of(pid_t program, const StepProcess& step, std::vector<std::string> command) {
  std::vector<std::string> argv = {"nsenter", fmt::format("--target={}", program), "--mount", "--pid", "--ipc",
                                   "--uts"};
  if (in_other_user_namespace(program)) {
    argv.insert(argv.end(), {"--user", "--preserve-credentials"});
  } else {
    if (step.request.uid) argv.push_back(fmt::format("--setuid={}", *step.request.uid));
    if (step.request.gid) argv.push_back(fmt::format("--setgid={}", *step.request.gid));
  }
  argv.insert(argv.end(), {"--", "sh", "-c", R"(cd "$1" && shift && exec "$@")", "sh", step.request.working_dir});
  argv.insert(argv.end(), std::make_move_iterator(command.begin()), std::make_move_iterator(command.end()));
  return argv;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// In a group of its own, which is killed as one.
Result<pid_t> spawn(const StepProcess& step, std::vector<std::string> command) {
  const pid_t program = program_of(step.init);
  if (program == 0) return fail(Code::kNotFound, fmt::format("{} does not run", step.request.id));
  std::vector<std::string> argv = argv_of(program, step, std::move(command));
  std::vector<std::string> env = step.request.env;
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  for (const int fd : {0, 1, 2}) {
    ::posix_spawn_file_actions_addopen(&files, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
  }
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, "nsenter", &files, &attributes, pointers(argv).data(), pointers(env).data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return fail_errno("run nsenter, of util-linux", error);
  return pid;
}

class Execution : public std::enable_shared_from_this<Execution> {
 public:
  Execution(asio::io_context& context, pid_t pid, UniqueFd process, Done done)
      : pid_(pid), ended_(context, process.release()), timer_(context), done_(std::move(done)) {}

  void begin(Duration timeout) {
    // A process's descriptor becomes readable when it has ended.
    ended_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](boost::system::error_code) { self->reap(); });
    timer_.expires_after(std::chrono::duration_cast<std::chrono::milliseconds>(timeout));
    timer_.async_wait([self = shared_from_this(), timeout](boost::system::error_code error) {
      if (error) return;
      self->late_ = fmt::format("the command has not ended after {} ms",
                                std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
      ::kill(-self->pid_, SIGKILL);
    });
  }

 private:
  void reap() {
    timer_.cancel();
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    if (!late_.empty()) return done_(fail(Code::kDeadlineExceeded, late_));
    done_(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
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
  const auto refuse = [&](Error error) {
    asio::post(context, [done = std::move(done), error = std::move(error)]() mutable {
      done(std::unexpected(std::move(error)));
    });
  };
  auto pid = spawn(step, std::move(command));
  if (!pid) return refuse(pid.error());
  UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  if (!process) {
    const int error = errno;
    ::kill(-*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    return refuse(fail_errno("watch a process", error).error());
  }
  std::make_shared<Execution>(context, *pid, std::move(process), std::move(done))->begin(timeout);
}

}  // namespace tiphys::node

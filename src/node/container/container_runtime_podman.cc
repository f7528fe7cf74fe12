#include "node/container/container_runtime_podman.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "base/hash.h"
#include "base/unique_fd.h"

namespace tiphys::node {
namespace {

constexpr int kFirstPassedFd = 3;  // where systemd's socket activation begins
constexpr int kBacklog = 128;
constexpr std::size_t kMostLastWords = 1'000;

struct ServiceFds {
  int input, log, listener;
};

void place(int fd, int at) {
  // Copied onto itself it would keep its mark to be closed.
  if (fd == at)
    ::fcntl(fd, F_SETFD, 0);
  else
    ::dup2(fd, at);
}

/// In the child of a process with threads: system calls only.
[[noreturn]] void become_service(pid_t owner, ServiceFds fds, const char* const* arguments) {
  // It ends with us however we end: a service that nobody owns would stay for ever.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != owner) ::_exit(1);
  // Ctrl-C at a terminal is for us, not for the service that our containers still need.
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  place(fds.input, STDIN_FILENO);
  place(fds.log, STDOUT_FILENO);
  place(fds.log, STDERR_FILENO);
  place(fds.listener, kFirstPassedFd);
  ::execv("/bin/sh", const_cast<char* const*>(arguments));
  ::_exit(127);
}

}  // namespace

OwnPodman::~OwnPodman() {
  end(SIGTERM);
}

void OwnPodman::end(int signal) {
  if (process_ == 0) return;
  ::kill(process_, signal);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
}

Result<std::string> OwnPodman::socket() const {
  constexpr std::size_t kMostPath = sizeof(sockaddr_un::sun_path) - 1;
  std::string path = state_dir_ + "/podman.sock";
  if (path.size() <= kMostPath) return path;
  // A deep data directory: its socket lies where paths are short, in a folder that only this user can enter.
  const char* runtime_dir = std::getenv("XDG_RUNTIME_DIR");
  const std::string short_dir = runtime_dir != nullptr && *runtime_dir == '/' ? runtime_dir : "/tmp";
  const std::string folder = fmt::format("{}/tiphys-{}-{:08x}", short_dir, ::getuid(), fnv1a_32(state_dir_));
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno(folder, errno);
  struct stat found{};
  if (::lstat(folder.c_str(), &found) != 0) return fail_errno(folder, errno);
  if (!S_ISDIR(found.st_mode) || found.st_uid != ::getuid() || (found.st_mode & 077) != 0) {
    return fail(Code::kPermissionDenied, folder + " belongs to somebody else or is open to others");
  }
  return folder + "/podman.sock";
}

/// The listening socket is ours and handed over, as systemd does it: a call made right now waits in its queue until
/// podman is up, and fails if podman ends, so nobody needs to look again and again.
Status OwnPodman::start(const std::string& program) {
  end(SIGKILL);
  if (::mkdir(state_dir_.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno(state_dir_, errno);
  TIPHYS_TRY(const std::string path, socket());
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener) return fail_errno("socket", errno);
  ::unlink(path.c_str());
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(listener.get(), kBacklog) != 0) {
    return fail_errno(path, errno);
  }
  const UniqueFd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd log(::open(log_path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!input || !log) return fail_errno(input ? log_path() : "/dev/null", errno);
  // Only the process itself knows the id that LISTEN_PID must hold.
  // conmon leaves files in the folder where podman was started.
  const char* command =
      "cd \"$1\" && LISTEN_FDS=1 && LISTEN_PID=$$ && export LISTEN_FDS LISTEN_PID && exec \"$0\" system service "
      "--time=0";
  const char* arguments[] = {"sh", "-c", command, program.c_str(), state_dir_.c_str(), nullptr};
  const pid_t owner = ::getpid();
  process_ = ::fork();
  if (process_ < 0) {
    process_ = 0;
    return fail_errno("fork", errno);
  }
  if (process_ == 0) become_service(owner, {input.get(), log.get(), listener.get()}, arguments);
  return {};
}

std::string OwnPodman::last_words() const {
  std::ifstream log(log_path());
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line.substr(0, kMostLastWords);
  }
  return last;
}

}  // namespace tiphys::node

#include "node/container_runtime_podman.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/hash.h"
#include "base/unique_fd.h"

namespace tiphys::node {
namespace {

constexpr int kFirstPassedFd = 3;  // where systemd's socket activation begins
constexpr int kBacklog = 128;

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
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  const std::string log_path = state_dir_ + "/podman.log";
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, listener.get(), kFirstPassedFd);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // Ctrl-C at a terminal is for us, not for the service that our containers still need.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  // Only the process itself knows the id that LISTEN_PID must hold.
  // conmon leaves files in the folder where podman was started.
  const char* command =
      "cd \"$1\" && LISTEN_FDS=1 && LISTEN_PID=$$ && export LISTEN_FDS LISTEN_PID && exec \"$0\" system service "
      "--time=0";
  const char* arguments[] = {"sh", "-c", command, program.c_str(), state_dir_.c_str(), nullptr};
  const int failed = ::posix_spawn(&process_, "/bin/sh", &actions, &attributes, const_cast<char**>(arguments), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    process_ = 0;
    return fail_errno(program, failed);
  }
  return {};
}

}  // namespace tiphys::node

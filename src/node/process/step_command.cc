#include "node/process/step_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "base/beneath.h"

namespace tiphys::node {
namespace {

pid_t first_child(pid_t parent) {
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", parent));
  pid_t child = 0;
  children >> child;
  return child;
}

bool in_other_user_namespace(pid_t pid) {
  std::error_code none;
  return std::filesystem::read_symlink(fmt::format("/proc/{}/ns/user", pid), none) !=
         std::filesystem::read_symlink("/proc/self/ns/user", none);
}

/// The folder of the step is entered by a shell inside: outside it has another path. A terminal becomes the command's
/// own inside too: what is typed there must interrupt the command, not nsenter.
std::vector<std::string> argv_of(pid_t program, const StepProcess& step, std::vector<std::string> command,
                                 bool terminal) {
  std::vector<std::string> argv = {"nsenter", fmt::format("--target={}", program), "--mount", "--pid", "--ipc",
                                   "--uts"};
  if (in_other_user_namespace(program)) {
    argv.insert(argv.end(), {"--user", "--preserve-credentials"});
  } else {
    if (step.request.uid) argv.push_back(fmt::format("--setuid={}", *step.request.uid));
    if (step.request.gid) argv.push_back(fmt::format("--setgid={}", *step.request.gid));
  }
  argv.insert(argv.end(), {"--", "sh", "-c", R"(cd "$1" && shift && exec "$@")", "sh", step.request.working_dir});
  if (terminal) argv.insert(argv.end(), {"setsid", "--ctty"});
  argv.insert(argv.end(), std::make_move_iterator(command.begin()), std::make_move_iterator(command.end()));
  return argv;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> env_of(const StepProcess& step, bool terminal) {
  std::vector<std::string> env = step.request.env;
  const bool known = std::ranges::any_of(env, [](const std::string& entry) { return entry.starts_with("TERM="); });
  if (terminal && !known) env.emplace_back("TERM=xterm");
  return env;
}

void set_streams(posix_spawn_file_actions_t& files, const StepStreams& streams) {
  const int given[] = {streams.in, streams.out, streams.err};
  for (int fd = 0; fd < 3; ++fd) {
    if (given[fd] >= 0) {
      ::posix_spawn_file_actions_adddup2(&files, given[fd], fd);
    } else {
      ::posix_spawn_file_actions_addopen(&files, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
    }
  }
}

/// In a group of its own, which is killed as one.
Result<pid_t> spawn(std::vector<std::string> argv, std::vector<std::string> env, const StepStreams& streams) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  set_streams(files, streams);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&attributes, &signals);
  ::sigaddset(&signals, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &signals);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, "nsenter", &files, &attributes, pointers(argv).data(), pointers(env).data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return fail_errno("run nsenter, of util-linux", error);
  return pid;
}

/// Whose namespaces an ordinary user may enter, unlike the init's, whose memory is the supervisor's. kNotFound when the
/// step does not run.
Result<pid_t> program_of(const StepProcess& step) {
  const pid_t program = first_child(step.init);
  if (program == 0) return fail(Code::kNotFound, fmt::format("{} does not run", step.request.id));
  return program;
}

}  // namespace

Result<UniqueFd> open_folder_in_step(const StepProcess& step, std::string_view path) {
  TIPHYS_TRY(const pid_t program, program_of(step));
  return open_beneath(fmt::format("/proc/{}/root", program),
                      path.substr(std::min(path.size(), path.find_first_not_of('/'))), O_RDONLY | O_DIRECTORY);
}

Result<StepCommand> start_in_step(const StepProcess& step, std::vector<std::string> command,
                                  const StepStreams& streams) {
  TIPHYS_TRY(const pid_t program, program_of(step));
  StepCommand started;
  TIPHYS_TRY(started.pid, spawn(argv_of(program, step, std::move(command), streams.terminal),
                                env_of(step, streams.terminal), streams));
  started.process.reset(static_cast<int>(::syscall(SYS_pidfd_open, started.pid, 0)));
  if (!started.process) {
    const int error = errno;
    kill_command(started.pid);
    reap_command(started.pid);
    return fail_errno("watch a process", error);
  }
  return started;
}

void kill_command(pid_t pid) {
  // With a terminal, or as a shell that makes groups, it has left the group of nsenter.
  if (const pid_t command = first_child(pid); command > 0) {
    ::kill(-command, SIGKILL);
    ::kill(command, SIGKILL);
  }
  ::kill(-pid, SIGKILL);
}

int reap_command(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace tiphys::node

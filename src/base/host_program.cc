#include "base/host_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/strings.h"
#include "base/unique_fd.h"

namespace tiphys {
namespace {

constexpr std::size_t kMostOutput = 64 * 1024;

std::vector<std::string> environment_of(const HostProgram& program) {
  std::vector<std::string> variables;
  for (char** each = environ; *each; ++each) {
    const std::string_view variable(*each);
    const bool left_out =
        std::ranges::any_of(program.without, [&](const std::string& lead) { return variable.starts_with(lead); });
    if (!left_out) variables.emplace_back(variable);
  }
  for (const auto& [name, value] : program.environment) variables.push_back(fmt::format("{}={}", name, value));
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// Its own group of processes, with signals as a shell gives them, its output to `output`.
int spawn(const HostProgram& program, int output, pid_t& pid) {
  std::vector<std::string> arguments = program.arguments, environment = environment_of(program);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  if (!program.own_errors) ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  if (!program.folder.empty()) ::posix_spawn_file_actions_addchdir_np(&actions, program.folder.c_str());
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  const int failed = ::posix_spawnp(&pid, arguments[0].c_str(), &actions, &attributes, pointers(arguments).data(),
                                    pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  return failed;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> piece;
  for (;;) {
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
    if (text.size() > 2 * kMostOutput) text.erase(0, text.size() - kMostOutput);
  }
}

}  // namespace

Result<std::string> run_program(const HostProgram& program, const std::stop_token& stop) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("pipe", errno);
  const UniqueFd output(ends[0]);
  UniqueFd input(ends[1]);
  pid_t pid = 0;
  if (const int failed = spawn(program, input.get(), pid); failed == ENOENT) {
    return fail(Code::kFailedPrecondition,
                fmt::format("there is no program \"{0}\" on this host: install {0}", program.arguments[0]));
  } else if (failed != 0) {
    return fail_errno(program.arguments[0], failed);
  }
  input.reset();
  std::string text;
  {
    const std::stop_callback kill(stop, [pid] { ::kill(-pid, SIGKILL); });
    text = read_all(output.get());
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  const std::string_view told = trim(text);
  return fail(Code::kUnknown,
              told.empty() ? fmt::format("{} ended with status {}", program.arguments[0], status) : std::string(told));
}

}  // namespace tiphys

#include "node/python/python_zygotes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/embedded.h"
#include "base/unique_fd.h"
#include "node/init/step_plan.h"

TIPHYS_EMBED(tiphys_python_zygote, TIPHYS_PYTHON_ZYGOTE)

namespace tiphys::node {
namespace {

using namespace std::chrono_literals;

/// Inits that may wait for their turn; more start the program themselves.
constexpr int kBacklog = 256;
/// One that ends sooner has failed.
constexpr auto kEndsTooSoon = 10s;
constexpr int kMostFailures = 3;
constexpr std::size_t kMostKnownFailures = 64;
/// It names the code, so that tracebacks leave it out, and adds nothing to the names of __main__.
constexpr char kBegin[] =
    "exec(compile(__import__('os').read(4, 1 << 20), '<tiphys>', 'exec'), {'__name__': 'tiphys zygote'})";
static_assert(kZygoteSourceFd == 4);

Result<UniqueFd> source() {
  const std::string_view text = tiphys_python_zygote();
  UniqueFd file(::memfd_create("tiphys zygote", MFD_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return fail_errno("keep an interpreter's program", errno);
  }
  return file;
}

/// The path holds here and in every init.
std::string path_of(const std::string& name) {
  return fmt::format("/proc/self/fd/{}/{}", kDataFd, name);
}

Result<UniqueFd> listen_at(const std::string& name) {
  ::unlinkat(kDataFd, name.c_str(), 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "{}", path_of(name));
  UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return fail_errno(fmt::format("listen at {}", name), errno);
  }
  return fd;
}

std::string how_it_ended(int status) {
  return WIFSIGNALED(status) ? fmt::format("by signal {}", WTERMSIG(status))
                             : fmt::format("with exit code {}", WEXITSTATUS(status));
}

}  // namespace

std::string PythonZygotes::socket_of(const WarmPython& wanted) {
  if (!starter_.can_warm()) return {};
  const auto known =
      std::ranges::find_if(zygotes_, [&](const Zygote& zygote) { return !zygote.leaving && zygote.what == wanted; });
  if (known != zygotes_.end()) {
    zygotes_.splice(zygotes_.end(), zygotes_, known);
    return path_of(known->socket);
  }
  const auto failures = std::ranges::find(failures_, wanted, &std::pair<WarmPython, int>::first);
  if (failures != failures_.end() && failures->second >= kMostFailures) return {};
  make_room();
  auto started = start(wanted);
  if (!started) {
    failed(wanted, started.error().message);
    return {};
  }
  zygotes_.push_back(std::move(*started));
  return path_of(zygotes_.back().socket);
}

Result<PythonZygotes::Zygote> PythonZygotes::start(const WarmPython& what) {
  Zygote zygote;
  zygote.what = what;
  zygote.socket = fmt::format("supervisor/python-{}", ++last_socket_);
  zygote.begun = Clock::now();
  TIPHYS_TRY(const UniqueFd listener, listen_at(zygote.socket));
  TIPHYS_TRY(const UniqueFd program, source());
  PlannedStep step;
  step.request.argv = {what.interpreter, "-c", kBegin};
  step.request.argv.insert(step.request.argv.end(), what.modules.begin(), what.modules.end());
  step.request.env = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root"};
  step.request.working_dir = "/";
  for (const std::string& folder : what.folders) step.request.mounts.push_back({folder, folder, true});
  TIPHYS_TRY(zygote.root, roots_.take());
  step.root = zygote.root;
  auto area = memory_.take();
  Result<pid_t> pid = -1;
  if (area) pid = starter_.start_zygote(step, *area, listener.get(), program.get());
  if (area) memory_.give_back(*area);
  if (area && pid) {
    zygote.pid = *pid;
    return zygote;
  }
  roots_.give_unclean(std::move(zygote.root));
  ::unlinkat(kDataFd, zygote.socket.c_str(), 0);
  return std::unexpected(area ? pid.error() : area.error());
}

void PythonZygotes::make_room() {
  const auto stays = [](const Zygote& zygote) { return !zygote.leaving; };
  if (static_cast<std::size_t>(std::ranges::count_if(zygotes_, stays)) < kMost) return;
  const auto oldest = std::ranges::find_if(zygotes_, stays);
  oldest->leaving = true;
  ::kill(oldest->pid, SIGKILL);
}

void PythonZygotes::failed(const WarmPython& what, const std::string& why) {
  auto failures = std::ranges::find(failures_, what, &std::pair<WarmPython, int>::first);
  if (failures == failures_.end()) {
    if (failures_.size() == kMostKnownFailures) failures_.erase(failures_.begin());
    failures = failures_.emplace(failures_.end(), what, 0);
  }
  const bool last = ++failures->second == kMostFailures;
  notices_.push_back(fmt::format("{} is not kept for steps of Python: {}; {}", what.interpreter, why,
                                 last ? "from now on each of them starts its own" : "the next of them tries again"));
}

void PythonZygotes::ended(pid_t pid, int status) {
  const auto zygote = std::ranges::find(zygotes_, pid, &Zygote::pid);
  if (zygote == zygotes_.end()) return;
  ::unlinkat(kDataFd, zygote->socket.c_str(), 0);
  roots_.give_unclean(std::move(zygote->root));
  // One that is not what is on disk any more leaves by itself.
  const bool left = zygote->leaving || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
  const WarmPython what = std::move(zygote->what);
  const bool too_soon = Clock::now() - zygote->begun < kEndsTooSoon;
  zygotes_.erase(zygote);
  if (!too_soon) std::erase_if(failures_, [&](const auto& failure) { return failure.first == what; });
  if (left) return;
  if (too_soon)
    return failed(what, fmt::format("it has ended {}; the supervisor's log may tell more", how_it_ended(status)));
  notices_.push_back(fmt::format("{}, kept for steps of Python, has ended {}: the next of them starts it again",
                                 what.interpreter, how_it_ended(status)));
}

}  // namespace tiphys::node

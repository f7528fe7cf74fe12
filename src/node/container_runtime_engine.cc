#include "node/container_runtime_engine.h"

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

#include "base/hash.h"
#include "base/log.h"
#include "base/unique_fd.h"

namespace tiphys::node {
namespace {

constexpr auto kPingPatience = std::chrono::seconds{10};
/// A podman that starts for the first time on a slow disk.
constexpr auto kStartPatience = std::chrono::minutes{1};
constexpr int kFirstPassedFd = 3;  // where systemd's socket activation begins
constexpr int kBacklog = 128;

std::optional<std::string> get_env(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

void warn_of_limits(const doc::Value& info, const std::string& socket) {
  if (doc::find_string(info, "Driver") == "vfs") {
    log::warn(
        "the container engine at {} stores images by \"vfs\", which copies the whole image at each start; set its "
        "storage driver to overlay",
        socket);
  }
  const doc::Value* security = doc::find(info, "SecurityOptions");
  const doc::Array* options = security ? security->if_array() : nullptr;
  bool rootless = false;
  for (const doc::Value& option : options ? *options : doc::Array()) {
    rootless = rootless || (option.is_string() && std::string_view(option.get_string()) == "name=rootless");
  }
  if (rootless && doc::find_string(info, "CgroupVersion") == "1") {
    log::warn("the rootless container engine at {} ignores memory and CPU limits on control groups of version 1",
              socket);
  }
}

/// dockerd tells when it has no init program for containers; podman fails at the first create.
bool has_init(const doc::Value& info) {
  const doc::Value* binary = doc::find(info, "InitBinary");
  const std::string_view version = doc::find_string(info, "InitCommit", "ID");
  return binary == nullptr || (version != "" && version != "N/A");
}

Async<Result<std::shared_ptr<Engine>>> describe(const std::string& socket, Duration patience) {
  auto engine = std::make_shared<Engine>(socket);
  EngineRequest ping{.target = "/_ping", .patience = patience};
  TIPHYS_CO_TRY(const EngineReply pong, co_await engine->client.call(ping));
  engine->traits.podman = pong.is_podman;
  EngineRequest ask{.target = "/info"};
  TIPHYS_CO_TRY(const EngineReply told, co_await engine->client.call(ask));
  TIPHYS_CO_TRY(const doc::Value info, doc::parse_json(told.body));
  warn_of_limits(info, socket);
  engine->traits.init = pong.is_podman || has_init(info);
  const std::string filter = percent_encode(fmt::format("{{\"label\":[\"{}\"]}}", kIdLabel));
  EngineRequest list{.target = "/containers/json?all=1&filters=" + filter};
  TIPHYS_CO_TRY(const EngineReply listed, co_await engine->client.call(list));
  TIPHYS_CO_TRY(const doc::Value containers, doc::parse_json(listed.body));
  const doc::Array* all = containers.if_array();
  for (const doc::Value& container : all ? *all : doc::Array()) {
    engine->left_over.insert(engine_name(doc::find_string(container, "Labels", kIdLabel)));
  }
  co_return engine;
}

}  // namespace

struct EngineLink::Search {
  explicit Search(boost::asio::io_context& context) : done(context) {}
  AsyncEvent done;
  Result<std::shared_ptr<Engine>> found;
};

EngineLink::EngineLink(boost::asio::io_context& context, std::string flag, std::string state_dir)
    : context_(context), flag_(std::move(flag)), state_dir_(std::move(state_dir)) {}

EngineLink::~EngineLink() {
  if (podman_ == 0) return;
  ::kill(podman_, SIGTERM);
  while (::waitpid(podman_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Async<Result<std::shared_ptr<Engine>>> EngineLink::engine() {
  if (engine_) co_return engine_;
  if (search_) {
    const auto search = search_;
    co_await search->done.wait();
    co_return search->found;
  }
  const auto search = std::make_shared<Search>(context_);
  search_ = search;
  search->found = co_await find();
  if (search->found) engine_ = *search->found;
  search_.reset();
  search->done.set();
  co_return search->found;
}

void EngineLink::lost(const std::shared_ptr<Engine>& engine) {
  if (engine_ == engine) engine_.reset();
}

Async<Result<std::shared_ptr<Engine>>> EngineLink::find() {
  TIPHYS_CO_TRY(const auto candidates, engine_candidates(flag_, get_env));
  std::vector<std::string> tried;
  for (const EngineCandidate& candidate : candidates) {
    auto engine = co_await describe(candidate.socket, kPingPatience);
    if (engine) {
      log::info("containers run by {} at {}", (*engine)->traits.podman ? "podman" : "dockerd", candidate.socket);
      co_return engine;
    }
    tried.push_back(engine.error().message);
    if (candidate.binding) {
      tried.back() += fmt::format(" (named by {})", candidate.origin);
      co_return std::unexpected(no_engine_error(tried));
    }
  }
  if (const std::string program = find_program("podman", get_env); !program.empty()) {
    auto engine = co_await start_podman(program);
    if (engine) co_return engine;
    tried.push_back(fmt::format("{} system service: {}", program, engine.error().message));
  }
  co_return std::unexpected(no_engine_error(tried));
}

Async<Result<std::shared_ptr<Engine>>> EngineLink::start_podman(const std::string& program) {
  TIPHYS_CO_TRY(const std::string socket, own_socket());
  // A service that a killed process of ours left behind still serves.
  if (auto engine = co_await describe(socket, kPingPatience)) co_return engine;
  TIPHYS_CO_CHECK_OK(spawn_podman(program, socket));
  auto engine = co_await describe(socket, kStartPatience);
  if (engine) log::info("containers run by a podman service of this process's own at {}", socket);
  co_return engine;
}

Result<std::string> EngineLink::own_socket() const {
  constexpr std::size_t kMostPath = sizeof(sockaddr_un::sun_path) - 1;
  std::string socket = state_dir_ + "/podman.sock";
  if (socket.size() <= kMostPath) return socket;
  // A deep data directory: its socket lies where paths are short, in a folder that only this user can enter.
  const std::string folder =
      fmt::format("{}/tiphys-{}-{:08x}", get_env("XDG_RUNTIME_DIR").value_or("/tmp"), ::getuid(), fnv1a_32(state_dir_));
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
Status EngineLink::spawn_podman(const std::string& program, const std::string& socket) {
  if (podman_ != 0) {
    ::kill(podman_, SIGKILL);
    ::waitpid(std::exchange(podman_, 0), nullptr, 0);
  }
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener) return fail_errno("socket", errno);
  ::unlink(socket.c_str());
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  socket.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(socket.c_str(), 0600) != 0 || ::listen(listener.get(), kBacklog) != 0) {
    return fail_errno(socket, errno);
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
  const std::string command =
      "LISTEN_FDS=1 LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID; exec \"$0\" system service --time=0";
  const char* arguments[] = {"sh", "-c", command.c_str(), program.c_str(), nullptr};
  const int failed = ::posix_spawn(&podman_, "/bin/sh", &actions, &attributes, const_cast<char**>(arguments), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    podman_ = 0;
    return fail_errno(program, failed);
  }
  return {};
}

}  // namespace tiphys::node

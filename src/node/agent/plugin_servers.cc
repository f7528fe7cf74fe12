#include "node/agent/plugin_servers.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/strings.h"
#include "base/unique_fd.h"
#include "base/unix_path.h"
#include "node/agent/write_file.h"
#include "node/log/log_file.h"

namespace tiphys::node {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kFilesThere = "/tmp/artifact-plugin-files";
/// As long as the original waits for a socket.
constexpr auto kSocketPatience = 120s;
/// A stop is seen within this.
constexpr auto kGlance = 500ms;
constexpr auto kBetweenConnections = 20ms;
constexpr std::size_t kLogTailBytes = 2000;

std::string socket_folder(std::string_view name) {
  return fmt::format("/tmp/artifact-plugins/{}", name);
}

std::unexpected<Error> stopped() {
  return fail(Code::kUnavailable, "the plane ends");
}

Status try_connection(const std::string& path) {
  TIPHYS_TRY(const SocketPath address_path, SocketPath::of(path));
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  address_path.text.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  // Somebody listens, and is busy.
  if (errno == EAGAIN) return {};
  return fail_errno("connect", errno);
}

/// The kernel's notice of changes in a folder.
class FolderWatch {
 public:
  explicit FolderWatch(const std::string& folder) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (fd_) ::inotify_add_watch(fd_.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO);
  }
  /// Until something has changed, at most for a glance.
  void wait() {
    pollfd polled{fd_.get(), POLLIN, 0};
    if (::poll(&polled, 1, static_cast<int>(std::chrono::milliseconds(kGlance).count())) > 0) {
      char events[4096];
      while (::read(fd_.get(), events, sizeof events) > 0) {
      }
    }
  }

 private:
  UniqueFd fd_;
};

/// What the plugin said last, to be shown with its end.
std::string last_words(const std::string& log) {
  std::string plain = log + ".plain";
  if (!write_plain_log(log, plain)) return "";
  UniqueFd file(::open(plain.c_str(), O_RDONLY | O_CLOEXEC));
  ::unlink(plain.c_str());
  struct stat about{};
  if (!file || ::fstat(file.get(), &about) != 0) return "";
  const auto size = static_cast<std::size_t>(about.st_size);
  std::string text(std::min(size, kLogTailBytes), '\0');
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), static_cast<off_t>(size - text.size()));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text.empty() ? "" : fmt::format("; it said: {}", trim(text));
}

}  // namespace

PluginServers::PluginServers(Executor& executor, PluginServersOptions options)
    : executor_(executor), options_(std::move(options)) {
  std::error_code ignored;
  std::filesystem::remove_all(options_.dir, ignored);
}

const PluginDriver* PluginServers::driver(std::string_view name) const {
  const auto found = std::ranges::find(options_.drivers, name, &PluginDriver::name);
  return found == options_.drivers.end() ? nullptr : &*found;
}

Status PluginServers::knows(std::string_view name) const {
  if (driver(name)) return {};
  std::vector<std::string> names;
  for (const PluginDriver& each : options_.drivers) names.push_back(each.name);
  return fail(Code::kFailedPrecondition,
              fmt::format("artifact driver {} not found: the plane's configuration (--config) has {}", name,
                          names.empty() ? "no artifactDrivers" : "artifactDrivers " + join(names, ", ")));
}

Result<Runtime*> PluginServers::runtime_for(const PluginDriver& driver) const {
  for (Runtime* runtime : options_.runtimes) {
    if (runtime->name() == "process" ? !driver.command.empty() : !driver.image.empty()) return runtime;
  }
  return fail(
      Code::kFailedPrecondition,
      fmt::format("artifact driver {} cannot run here: {}", driver.name,
                  driver.command.empty() ? "the process runtime has no images; give its artifactDrivers entry a "
                                           "command, a list of words such as [/usr/local/bin/plugin]"
                                         : "it has no image, and only images run in a container engine"));
}

Result<artifact::PluginServer> PluginServers::find(const std::string& name, std::chrono::seconds connection_timeout,
                                                   const std::stop_token& stop) {
  TIPHYS_CHECK_OK(knows(name));
  const PluginDriver& wanted = *driver(name);
  const auto timeout = connection_timeout.count() > 0 ? connection_timeout : wanted.connection_timeout;
  while (true) {
    TIPHYS_TRY(const std::shared_ptr<Server> server, server_of(wanted));
    Status listens = wait_for(wanted, *server, timeout, stop);
    // One that worked has gone meanwhile: there will be another.
    if (!listens && has_worked(*server) && end_of(*server)) continue;
    if (!listens) return std::unexpected(std::move(listens).error());
    return artifact::PluginServer{.socket = server->dir + "/socket/socket",
                                  .files = server->dir + "/files",
                                  .files_there = std::string(kFilesThere),
                                  .connection_timeout = timeout};
  }
}

Status PluginServers::wait_for(const PluginDriver& driver, Server& server, std::chrono::seconds timeout,
                               const std::stop_token& stop) {
  TIPHYS_CHECK_OK(wait_for_start(driver, server, stop));
  TIPHYS_CHECK_OK(wait_for_socket(driver, server, stop));
  Status connected = connect(server.dir + "/socket/socket", server, timeout, stop);
  if (!connected) return std::unexpected(connected.error().in(fmt::format("plugin {}", driver.name)));
  const std::lock_guard lock(shared_->mutex);
  server.has_listened = true;
  return connected;
}

bool PluginServers::has_worked(const Server& server) const {
  const std::lock_guard lock(shared_->mutex);
  return server.has_listened;
}

/// The one that runs, or begins to, or a new one.
Result<std::shared_ptr<PluginServers::Server>> PluginServers::server_of(const PluginDriver& driver) {
  const std::lock_guard lock(shared_->mutex);
  std::shared_ptr<Server>& server = shared_->servers[driver.name];
  if (server && !server->ended) return server;
  TIPHYS_TRY(Runtime* const runtime, runtime_for(driver));
  auto fresh = std::make_shared<Server>();
  const std::string start = make_name_suffix(random_, 8);
  fresh->id = fmt::format("artifact-plugin.{}.{}", driver.name, start);
  fresh->dir = fmt::format("{}/{}-{}", options_.dir, driver.name, start);
  std::error_code error;
  std::filesystem::create_directories(fresh->dir, error);
  if (error) return fail_errno(fmt::format("make {}", fresh->dir), error.value());
  // Whoever the plugin is.
  TIPHYS_CHECK_OK(make_folder(fresh->dir + "/socket", 0777));
  TIPHYS_CHECK_OK(make_folder(fresh->dir + "/files", 0777));
  server = fresh;
  ContainerSpec spec{.id = fresh->id};
  spec.pod_uid = "artifact-plugin";
  spec.pod_name = spec.container_name = spec.hostname = "artifact-plugin-" + driver.name;
  spec.image = driver.image;
  spec.command = driver.command;
  spec.args = {socket_folder(driver.name) + "/socket"};
  spec.mounts = {{fresh->dir + "/socket", socket_folder(driver.name)},
                 {fresh->dir + "/files", std::string(kFilesThere)}};
  // Files that the plane makes are its own user's, and so are the plugin's: inside of an engine that is root.
  if (runtime->name() != "process") spec.run_as_user = 0;
  spec.dir = fresh->dir;
  spec.ends_with_plane = true;
  const auto ended = [shared = shared_, fresh](Error error) {
    const std::lock_guard lock(shared->mutex);
    fresh->ended = std::move(error);
    shared->changed.notify_all();
  };
  executor_.post([shared = shared_, fresh, runtime, spec = std::move(spec), ended] {
    runtime->start(
        spec,
        [shared, fresh, ended](Status started) {
          if (!started) return ended(started.error());
          const std::lock_guard lock(shared->mutex);
          fresh->started = true;
          shared->changed.notify_all();
        },
        [fresh, runtime, ended](ContainerExit exit) {
          ended({Code::kUnavailable,
                 fmt::format("it has ended with exit code {}{}", exit.exit_code, last_words(fresh->dir + "/log"))});
          runtime->remove(fresh->id);
        });
  });
  return fresh;
}

std::optional<Error> PluginServers::end_of(const Server& server) const {
  const std::lock_guard lock(shared_->mutex);
  return server.ended;
}

/// An image may have to be pulled, which takes its time.
Status PluginServers::wait_for_start(const PluginDriver& driver, Server& server, const std::stop_token& stop) {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, stop, [&] { return server.started || server.ended; });
  if (server.ended) return std::unexpected(server.ended->in(fmt::format("plugin {} cannot start", driver.name)));
  return server.started ? Status{} : stopped();
}

Status PluginServers::wait_for_socket(const PluginDriver& driver, Server& server, const std::stop_token& stop) {
  const std::string folder = server.dir + "/socket";
  FolderWatch watch(folder);
  const auto deadline = Clock::now() + kSocketPatience;
  while (::access((folder + "/socket").c_str(), F_OK) != 0) {
    if (stop.stop_requested()) return stopped();
    if (const auto end = end_of(server)) return std::unexpected(end->in(fmt::format("plugin {}", driver.name)));
    if (Clock::now() > deadline) {
      return fail(Code::kDeadlineExceeded,
                  fmt::format("plugin {} expected unix socket at \"{}/socket\" but it does not exist after waiting for "
                              "{} seconds{}",
                              driver.name, socket_folder(driver.name), kSocketPatience.count(),
                              last_words(server.dir + "/log")));
    }
    watch.wait();
  }
  return {};
}

Status PluginServers::connect(const std::string& socket, Server& server, std::chrono::seconds timeout,
                              const std::stop_token& stop) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    const Status connected = try_connection(socket);
    if (connected) return connected;
    if (stop.stop_requested()) return stopped();
    if (const auto end = end_of(server)) return std::unexpected(*end);
    if (Clock::now() > deadline) {
      return fail(Code::kDeadlineExceeded,
                  fmt::format("timeout waiting for its connection to become ready: {}", connected.error().message));
    }
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, stop, kBetweenConnections, [&] { return server.ended.has_value(); });
  }
}

}  // namespace tiphys::node

#include "cli/session.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "artifact/repository.h"
#include "base/unique_fd.h"
#include "cli/embedded_plane.h"
#include "server/client.h"
#include "server/unix_path.h"
#include "store/data_dir.h"

namespace tiphys::cli {
namespace {

/// How long a directory may be held by a process that does not answer on its socket: one that just starts or ends.
constexpr std::chrono::seconds kHandOverTime(10);

class EmbeddedSession final : public Session {
 public:
  EmbeddedSession(Loop& loop, std::unique_ptr<EmbeddedPlane> plane) : loop_(loop), plane_(std::move(plane)) {}

  Loop& loop() override { return loop_; }
  cluster::Cluster& cluster() override { return plane_->cluster(); }
  std::string artifact_path(std::string_view key) override { return plane_->artifact_path(key); }
  bool remote() const override { return false; }
  bool local() const override { return true; }

 private:
  Loop& loop_;
  std::unique_ptr<EmbeddedPlane> plane_;
};

class RemoteSession final : public Session {
 public:
  /// `artifacts` is the folder of the plane's artifacts on this host; "" when it is unknown.
  RemoteSession(Loop& loop, server::Endpoint endpoint, const std::string& artifacts)
      : loop_(loop),
        local_(!endpoint.unix_path.empty()),
        cluster_(server::make_remote_cluster(loop.context(), std::move(endpoint))) {
    if (!artifacts.empty()) repository_ = artifact::make_folder_repository(artifacts);
  }

  Loop& loop() override { return loop_; }
  cluster::Cluster& cluster() override { return *cluster_; }
  std::string artifact_path(std::string_view key) override { return repository_ ? repository_->local_path(key) : ""; }
  bool remote() const override { return true; }
  bool local() const override { return local_; }

 private:
  Loop& loop_;
  bool local_;
  std::unique_ptr<cluster::Cluster> cluster_;
  std::unique_ptr<artifact::Repository> repository_;
};

/// True when a process answers on a unix socket. Connecting to one is immediate.
bool answers(const std::string& path) {
  const auto socket_path = server::SocketPath::of(path);
  if (!socket_path) return false;
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path->text.copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
}

/// Tells when something changes in a folder.
class FolderWatch {
 public:
  explicit FolderWatch(const std::string& folder) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (fd_) ::inotify_add_watch(fd_.get(), folder.c_str(), IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_CLOSE);
  }
  /// False when nothing has changed for `most`.
  bool wait(std::chrono::milliseconds most) {
    pollfd entry{fd_.get(), POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(most.count())) <= 0) return false;
    char events[4096];
    while (::read(fd_.get(), events, sizeof events) > 0) {
    }
    return true;
  }

 private:
  UniqueFd fd_;
};

std::string token_of(const SessionOptions& options, const std::string& address) {
  for (std::string token : {options.token, environment("TIPHYS_TOKEN"), environment("ARGO_TOKEN")}) {
    if (token.starts_with("Bearer ")) token.erase(0, 7);
    if (!token.empty()) return token;
  }
  const auto data_dir = store::DataDir::locate(options.data_dir);
  if (!data_dir) return {};
  std::ifstream file(*data_dir + "/server.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto announced = doc::parse_json(text.str());
  if (!announced) return {};
  const std::string_view port = std::string_view(address).substr(address.rfind(':') + 1);
  // Only to the very server that wrote it, on this host's loopback.
  const bool same = doc::find_string(*announced, "address").ends_with(fmt::format(":{}", port)) &&
                    (address.starts_with("localhost:") || address.starts_with("127.0.0.1:"));
  return same ? std::string(doc::find_string(*announced, "token")) : "";
}

Result<std::unique_ptr<Session>> connect_to_server(Loop& loop, const SessionOptions& options, std::string address) {
  if (address.starts_with("http://")) address.erase(0, 7);
  while (address.ends_with('/')) address.pop_back();
  const auto colon = address.rfind(':');
  server::Endpoint endpoint;
  endpoint.host = address.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size() || endpoint.host.empty()) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("\"{}\" is no server's address: it has the form HOST:PORT, such as localhost:2746", address));
  }
  endpoint.token = token_of(options, address);
  return std::make_unique<RemoteSession>(loop, std::move(endpoint), "");
}

Result<std::unique_ptr<Session>> open_directory(Loop& loop, const SessionOptions& options, Need need) {
  TIPHYS_TRY(const std::string data_dir, store::DataDir::locate(options.data_dir));
  const std::string socket = data_dir + "/api.sock";
  const auto deadline = std::chrono::steady_clock::now() + kHandOverTime;
  for (;;) {
    // Watched before it is looked at, so that no change goes unseen.
    FolderWatch changes(data_dir);
    if (answers(socket)) {
      return std::make_unique<RemoteSession>(
          loop, server::Endpoint{.unix_path = socket, .host = "", .port = 0, .token = ""}, data_dir + "/artifacts");
    }
    PlaneOptions plane_options;
    plane_options.data_dir = data_dir;
    plane_options.command = need == Need::kRun ? "tiphys run" : "tiphys";
    plane_options.runtime = options.runtime;
    plane_options.engine = options.engine;
    plane_options.offline = options.offline;
    plane_options.read_only = need == Need::kRead;
    plane_options.host_paths = options.host_paths;
    auto plane = EmbeddedPlane::open(loop.context(), std::move(plane_options));
    if (plane) return std::make_unique<EmbeddedSession>(loop, std::move(*plane));
    if (plane.error().code != Code::kFailedPrecondition) return std::unexpected(std::move(plane).error());
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !changes.wait(left)) return std::unexpected(std::move(plane).error());
  }
}

}  // namespace

Result<std::unique_ptr<Session>> open_session(Loop& loop, const SessionOptions& options, Need need) {
  for (const std::string& address : {options.server, environment("TIPHYS_SERVER"), environment("ARGO_SERVER")}) {
    if (!address.empty()) return connect_to_server(loop, options, address);
  }
  return open_directory(loop, options, need);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string choose_namespace(const std::string& flag) {
  if (!flag.empty()) return flag;
  const std::string variable = environment("ARGO_NAMESPACE");
  return variable.empty() ? "default" : variable;
}

}  // namespace tiphys::cli

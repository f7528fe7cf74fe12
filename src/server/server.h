// The HTTP server of a plane: a unix socket that file permissions guard, and a loopback port that a token guards.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "argo/artifact_files.h"
#include "argo/call.h"
#include "cluster/session.h"
#include "objects/object_api.h"
#include "server/authentication.h"

namespace boost::asio {
class io_context;
namespace ssl {
class context;
}
}  // namespace boost::asio

namespace tiphys::server {

class UiFiles;

struct ServerOptions {
  std::string unix_path;  ///< "" for none; made with mode 0600, a stale one of a dead process is replaced
  /// "127.0.0.1:2746"; port 0 takes a free one; "" for none. Another than a loopback address needs `tls` and `token`.
  std::string tcp_address;
  std::string token;                               ///< the owner's, for TCP
  const objects::ServiceTokens* tokens = nullptr;  ///< of service accounts; null: none are known
  /// For clients that speak TLS, by certificate.h; null for none.
  std::shared_ptr<boost::asio::ssl::context> tls;
  /// Listen on a free port of 127.0.0.1 too, for pods, with this certificate; null for none.
  std::shared_ptr<boost::asio::ssl::context> pods_tls;
  /// A file, mode 0600, that tells clients {"address", "token", "pid"} while the server listens on TCP; "" for none.
  std::string announce_path;
  /// The page /metrics, in Prometheus' text format; none: there is no such page.
  std::function<std::string()> metrics;
  /// How callers of Argo's API show who they are, over TCP.
  Authentication auth{};
  /// Requests of Argo's API that an address may make in a second over TCP; 0: any number.
  std::uint64_t rate_limit = 0;
  /// Streams into pods: Agent::open_session; none: there are none.
  cluster::SessionOpener sessions;
  /// A file that tells of all requests (audit.h); "" for none.
  std::string audit_path;
  /// The page /configz; null: there is no such page.
  doc::Shared config = {};
  /// What Argo's API does, by REST and by gRPC; null: there is no such API. Outlives the server.
  argo::Services* argo = nullptr;
  /// Artifacts as files; null: there are no such routes. Outlives the server.
  argo::ArtifactFiles* artifacts = nullptr;
  /// A web UI, for browsers that come by TCP; null: there is none.
  std::shared_ptr<const UiFiles> ui = {};
};

class Server {
 public:
  /// Listens; answers on `context`'s thread, where `api` lives. Both must outlive the server.
  static Result<std::unique_ptr<Server>> start(boost::asio::io_context& context, Executor& executor,
                                               objects::ObjectApi& api, ServerOptions options);
  /// Stops listening and cuts all connections.
  virtual ~Server() = default;

  /// The TCP port; 0 when there is none.
  virtual unsigned short port() const = 0;
  /// The port of 127.0.0.1 that is for pods; port() when there is no other.
  virtual unsigned short pods_port() const = 0;
  virtual const std::string& token() const = 0;
};

}  // namespace tiphys::server

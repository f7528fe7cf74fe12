#include "server/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>

#include "base/log.h"
#include "base/private_file.h"
#include "base/random.h"
#include "base/spare_memory.h"
#include "base/unique_fd.h"
#include "base/unix_path.h"
#include "doc/value.h"
#include "server/access.h"
#include "server/audit.h"
#include "server/connection.h"
#include "server/server_account.h"
#include "server/sso/sign_on.h"

namespace tiphys::server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kMostConnections = 256;
/// With so many fewer open than there were, what they had is given back: some 70 KB each, for TLS and what it reads.
constexpr std::size_t kClosedBeforeReturn = 50;
/// Out of descriptors, accepting is tried again after this.
constexpr std::chrono::milliseconds kAcceptPause(100);

Error system_error(std::string_view what, const error_code& error) {
  return fail_errno(what, error.value()).error();
}

class AsioServer final : public Server {
 public:
  AsioServer(asio::io_context& context, Executor& executor, objects::ObjectApi& api, ServerOptions options)
      : context_(context),
        options_(std::move(options)),
        served_{.executor = executor,
                .api = api,
                .metrics = options_.metrics,
                .sessions = options_.sessions,
                .config = options_.config,
                .argo = options_.argo,
                .artifacts = options_.artifacts,
                .ui = options_.ui,
                .auth = options_.auth} {}

  ~AsioServer() override {
    *alive_ = false;
    if (!options_.unix_path.empty() && unix_acceptor_.is_open()) ::unlink(options_.unix_path.c_str());
    if (announced_) ::unlink(options_.announce_path.c_str());
    error_code ignored;  // closing cannot fail in a way that matters to anyone
    unix_acceptor_.close(ignored);
    tcp_acceptor_.close(ignored);
    pods_acceptor_.close(ignored);
    const auto connections = std::exchange(connections_, {});
    for (const auto& connection : connections) connection->drop();
  }

  Status listen() {
    if (!options_.audit_path.empty()) {
      TIPHYS_TRY(served_.audit, AuditLog::open(options_.audit_path));
    }
    if (!options_.unix_path.empty()) TIPHYS_CHECK_OK(listen_unix());
    if (!options_.tcp_address.empty()) TIPHYS_CHECK_OK(listen_tcp());
    if (options_.pods_tls) TIPHYS_CHECK_OK(listen_for_pods());
    return {};
  }

  unsigned short port() const override { return port_; }
  unsigned short pods_port() const override { return pods_port_ != 0 ? pods_port_ : port_; }
  const std::string& token() const override { return options_.token; }

 private:
  /// The socket appears under its name only when it listens: who finds it can connect.
  Status listen_unix() {
    const std::string draft = fmt::format("{}.{}", options_.unix_path, getpid());
    TIPHYS_TRY(const SocketPath path, SocketPath::of(draft));
    ::unlink(draft.c_str());
    error_code error;
    unix_acceptor_.open(asio::local::stream_protocol(), error);
    close_on_exec(unix_acceptor_.native_handle());
    // The mode of the descriptor is that of the file which bind makes.
    if (!error && ::fchmod(unix_acceptor_.native_handle(), 0600) != 0) return fail_errno("fchmod " + draft, errno);
    if (!error) unix_acceptor_.bind(asio::local::stream_protocol::endpoint(path.text), error);
    if (!error) unix_acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return std::unexpected(system_error("listen on " + draft, error));
    if (::rename(draft.c_str(), options_.unix_path.c_str()) != 0) return fail_errno("rename " + draft, errno);
    accept(unix_acceptor_, {served_, nullptr, nullptr});
    return {};
  }

  Status listen_tcp() {
    const std::string& text = options_.tcp_address;
    const auto colon = text.rfind(':');
    error_code error;
    const auto address = asio::ip::make_address(text.substr(0, colon), error);
    const int port = colon == std::string::npos ? -1 : std::atoi(text.c_str() + colon + 1);
    if (error || port < 0 || port > 65535) {
      return fail(Code::kInvalidArgument,
                  fmt::format("\"{}\" is no address to listen on, such as 127.0.0.1:2746", text));
    }
    if (!address.is_loopback() && (!options_.tls || options_.token.empty())) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{} can be reached from other machines, where the server listens only with TLS and a "
                              "token",
                              text));
    }
    if (!address.is_loopback()) TIPHYS_CHECK_OK(check_public());
    error = listen_at(tcp_acceptor_, {address, static_cast<unsigned short>(port)}, port_);
    if (error == asio::error::address_in_use) {
      return fail(Code::kUnavailable,
                  fmt::format("another program listens on {}; choose another port, or 0 for a free one", text));
    }
    if (error) return std::unexpected(system_error("listen on " + text, error));
    TIPHYS_CHECK_OK(announce(address));
    const auto limit = options_.rate_limit == 0 ? nullptr : std::make_shared<RateLimit>(options_.rate_limit);
    accept(tcp_acceptor_, {served_, make_gate(), options_.tls, !address.is_loopback(), limit});
    return {};
  }

  /// Whoever reaches the port is not to be the plane's owner because nobody has thought of it.
  Status check_public() const {
    const Authentication& auth = options_.auth;
    const bool lends = auth.modes.server || (auth.sign_on && !auth.sign_on->asks_rules());
    if (!lends || !auth.server_account->is_owner()) return {};
    return fail(Code::kInvalidArgument,
                fmt::format("with --auth-mode {} whoever reaches this address{} would have the rights of the plane's "
                            "owner: name the service account whose rights they are to have, by --server-account{}",
                            auth.modes.server ? "server" : "sso", auth.modes.server ? "" : " and can sign in",
                            auth.modes.server ? "" : ", or have rules say it, by sso.rbac.enabled"));
  }

  Status listen_for_pods() {
    const error_code error = listen_at(pods_acceptor_, {asio::ip::address_v4::loopback(), 0}, pods_port_);
    if (error) return std::unexpected(system_error("listen on 127.0.0.1 for pods", error));
    accept(pods_acceptor_, {served_, make_gate(), options_.pods_tls, false});
    return {};
  }

  static error_code listen_at(asio::ip::tcp::acceptor& acceptor, const asio::ip::tcp::endpoint& endpoint,
                              unsigned short& port) {
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    close_on_exec(acceptor.native_handle());
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) port = acceptor.local_endpoint(error).port();
    return error;
  }

  std::shared_ptr<const Gate> make_gate() const {
    return std::make_shared<const Gate>(served_.executor, served_.api, options_.token, options_.tokens);
  }

  Status announce(const asio::ip::address& address) {
    if (options_.announce_path.empty()) return {};
    TIPHYS_CHECK_OK(write_private_file(
        options_.announce_path,
        doc::to_json(doc::Object{
            {"address", fmt::format("{}:{}", address.is_unspecified() ? "127.0.0.1" : address.to_string(), port_)},
            {"token", options_.token},
            {"pid", getpid()}}) +
            "\n"));
    announced_ = true;
    return {};
  }

  template <typename Acceptor>
  void accept(Acceptor& acceptor, const Entrance& entrance) {
    acceptor.async_accept([this, &acceptor, entrance, alive = alive_](error_code error, auto socket) mutable {
      if (!*alive) return;
      if (error) return pause_accepting(acceptor, entrance, error);
      close_on_exec(socket.native_handle());
      if constexpr (std::is_same_v<Acceptor, asio::ip::tcp::acceptor>) {
        error_code ignored;  // an optimisation
        socket.set_option(asio::ip::tcp::no_delay(true), ignored);
      }
      serve(asio::generic::stream_protocol::socket(std::move(socket)), entrance);
      accept(acceptor, entrance);
    });
  }

  template <typename Acceptor>
  void pause_accepting(Acceptor& acceptor, const Entrance& entrance, const error_code& error) {
    log::warn("accepting a connection: {}", error.message());
    const auto timer = std::make_shared<asio::steady_timer>(context_, kAcceptPause);
    timer->async_wait([this, &acceptor, entrance, timer, alive = alive_](error_code) mutable {
      if (*alive) accept(acceptor, entrance);
    });
  }

  void serve(asio::generic::stream_protocol::socket socket, const Entrance& entrance) {
    const auto slot = std::make_shared<std::weak_ptr<Connection>>();
    auto connection = make_connection(std::move(socket), entrance, [this, slot, alive = alive_] {
      if (!*alive) return;
      connections_.erase(slot->lock());
      // Not where as many come as go: they take over what is free.
      if (most_open_ - connections_.size() < kClosedBeforeReturn) return;
      most_open_ = connections_.size();
      asio::post(context_, return_free_memory);
    });
    *slot = connection;
    connections_.insert(connection);
    most_open_ = std::max(most_open_, connections_.size());
    connections_.size() > kMostConnections ? connection->refuse() : connection->start();
  }

  asio::io_context& context_;
  ServerOptions options_;
  Served served_;
  asio::local::stream_protocol::acceptor unix_acceptor_{context_};
  asio::ip::tcp::acceptor tcp_acceptor_{context_};
  asio::ip::tcp::acceptor pods_acceptor_{context_};
  unsigned short port_ = 0, pods_port_ = 0;
  bool announced_ = false;
  std::set<std::shared_ptr<Connection>> connections_;
  std::size_t most_open_ = 0;  ///< since memory was given back
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(asio::io_context& context, Executor& executor, objects::ObjectApi& api,
                                              ServerOptions options) {
  auto server = std::make_unique<AsioServer>(context, executor, api, std::move(options));
  TIPHYS_CHECK_OK(server->listen());
  return server;
}

}  // namespace tiphys::server

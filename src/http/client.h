// Requests to one HTTP/1.1 server: over a unix socket, TCP or TLS, on connections that are used again. Beast stays in
// this layer's .cc files.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace boost::asio {
class io_context;
}

namespace tiphys::http {

class Tls;

/// Where a server listens.
struct Endpoint {
  std::string unix_path;  ///< when not empty, the rest is not used
  std::string host;       ///< an IP address or name
  unsigned short port = 0;
  std::string token{};               ///< of each request, as "Authorization: Bearer"; "": none
  std::shared_ptr<const Tls> tls{};  ///< null: plain text
  /// A proxy that is asked to connect (HTTP CONNECT); "" for none.
  std::string proxy_host{};
  unsigned short proxy_port = 0;
  std::string proxy_authorization{};  ///< "Basic ..." or ""

  /// For messages: the socket's path or host:port.
  std::string text() const;
};

struct ClientLimits {
  /// Connections at once, of requests that end; further requests wait their turn.
  std::size_t most_connections = 32;
  /// A connection is kept for further requests; without, each one has its own.
  bool keep = false;
  std::chrono::seconds connect_timeout{5};
  std::chrono::seconds send_timeout{60};
  /// Without a byte of the answer.
  std::chrono::seconds answer_timeout{120};
};

struct Request {
  std::string method = "GET";
  std::string target = {};
  std::string content_type = {};
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< further ones; a name may stand twice
  /// The answer goes on as long as the server likes: it has a connection of its own.
  bool endless = false;
  /// Of an endless answer: it is broken off with kDeadlineExceeded after this; 0: never.
  std::chrono::seconds longest{0};
};

struct Head {
  unsigned code = 0;
  std::string retry_after;  ///< the header of this name
};

/// Called on the context's thread, never from inside Client::call. No call follows on_end or the Call's destruction.
struct Sink {
  std::move_only_function<void(const Head&)> on_head;
  std::move_only_function<void(std::string_view part)> on_body;
  /// The answer is complete, or the error that broke it off: kUnavailable when no server is there or it went away,
  /// kUnauthenticated when its certificate is not trusted.
  std::move_only_function<void(Status)> on_end;
};

/// Ends its request when destroyed.
class Call {
 public:
  virtual ~Call() = default;
};

class Pool;

/// Copies share their connections, which are closed with the last copy and the last call.
class Client {
 public:
  Client(boost::asio::io_context& context, Endpoint endpoint, ClientLimits limits = {});

  std::unique_ptr<Call> call(Request request, Sink sink);
  /// For connections from now on; those that are kept are closed.
  void set_tls(std::shared_ptr<const Tls> tls);
  const Endpoint& endpoint() const;

 private:
  std::shared_ptr<Pool> pool_;
};

}  // namespace tiphys::http

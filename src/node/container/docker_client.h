// The Docker Engine API on a unix socket, as podman and dockerd serve it: HTTP calls as coroutines.
//
// A call has a connection of its own, so an engine that restarts cannot leave a stale one behind. Errors carry the
// engine's own words. kUnavailable means that no answer came: the call may or may not have been carried out.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace tiphys::node {

template <typename T>
using Async = boost::asio::awaitable<T>;

struct EngineRequest {
  std::string method = "GET";
  std::string target{};  ///< path and query, percent-encoded
  std::string body{};    ///< JSON
  /// A tar of this host to send instead of `body`.
  std::string body_file{};
  bool hijacks = false;  ///< asks for the connection, as hijack() does
  /// How long the engine may take until its answer begins; 0: for ever.
  Duration patience = std::chrono::minutes{5};
};

struct EngineReply {
  unsigned status = 0;
  std::string body;
  std::string libpod_version;  ///< podman's own API; "" for dockerd
  std::string path_stat;       ///< X-Docker-Container-Path-Stat, base64 of JSON
};

/// A connection that the engine has handed over, for bytes in both directions.
struct EngineStream {
  boost::asio::local::stream_protocol::socket socket;
  std::string received;  ///< came along with the answer
};

/// Lets somebody on the same thread end a call early: it then fails with kCancelled.
class EngineCall {
 public:
  void cancel() {
    cancelled_ = true;
    if (close_) close_();
  }
  bool cancelled() const { return cancelled_; }

 private:
  friend class DockerClient;
  bool cancelled_ = false;
  std::function<void()> close_;
};

class DockerClient {
 public:
  explicit DockerClient(std::string socket) : socket_(std::move(socket)) {}
  const std::string& socket() const { return socket_; }

  /// Statuses of 200 to 399 are replies, all others errors. Bodies over 64 MiB are errors.
  Async<Result<EngineReply>> call(EngineRequest request, std::shared_ptr<EngineCall> control = nullptr) const;

  /// The same with the body handed on in pieces as they come. An error of `sink` ends the call. `head`, if given, sees
  /// the reply before its body.
  using Sink = std::function<Status(std::string_view)>;
  Async<Result<EngineReply>> stream(EngineRequest request, Sink sink, std::shared_ptr<EngineCall> control = nullptr,
                                    std::function<void(const EngineReply&)> head = nullptr) const;

  /// Asks for the connection itself (Upgrade: tcp).
  Async<Result<EngineStream>> hijack(EngineRequest request) const;

 private:
  std::string socket_;
};

}  // namespace tiphys::node

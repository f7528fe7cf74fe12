// One connection of an HTTP client. Beast stays in connection.cc.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "server/gate.h"
#include "server/routes.h"

namespace tiphys::server {

/// Bounds of every connection.
inline constexpr std::size_t kMostHeaderBytes = 64 * 1024;
inline constexpr std::size_t kMostBodyBytes = 16 * 1024 * 1024;
/// What a reader of a stream may lag behind before it is cut.
inline constexpr std::size_t kMostLagBytes = 16 * 1024 * 1024;

class Connection {
 public:
  virtual ~Connection() = default;
  /// Begins to read requests. The connection keeps itself until it is closed.
  virtual void start() = 0;
  /// Says that there are too many connections, and closes.
  virtual void refuse() = 0;
  /// Says that only TLS is spoken here, and closes.
  virtual void refuse_plain() = 0;
  /// Cuts it, and ends what feeds it before this returns. Not from within a call of the cluster.
  virtual void drop() = 0;
};

/// A way into the server.
struct Entrance {
  const Served& served;  ///< outlives all connections
  std::shared_ptr<const Gate>
      gate;  ///< knows whom requests come from; null where all are the owner's (the unix socket)
  /// For clients that begin with TLS; null where none is spoken. Those that do not are served in plain text, where
  /// others cannot listen.
  std::shared_ptr<boost::asio::ssl::context> tls;
  /// From other machines: by TLS alone, under whatever name this one is known by.
  bool is_public = false;
};

/// `on_closed` is called once, when the connection is closed and holds nothing of the cluster.
std::shared_ptr<Connection> make_connection(boost::asio::generic::stream_protocol::socket socket,
                                            const Entrance& entrance, std::move_only_function<void()> on_closed);

}  // namespace tiphys::server

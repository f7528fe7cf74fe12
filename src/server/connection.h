// One connection of an HTTP client. Beast stays in connection.cc.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>

#include "server/entrance.h"

namespace tiphys::server {

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

/// `on_closed` is called once, when the connection is closed and holds nothing of the cluster.
std::shared_ptr<Connection> make_connection(boost::asio::generic::stream_protocol::socket socket,
                                            const Entrance& entrance, std::move_only_function<void()> on_closed);

}  // namespace tiphys::server

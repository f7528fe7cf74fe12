// One client's connection and the one to an endpoint that it is relayed to: bytes go over as they come, in both
// directions, and so do their ends. Of the relay's thread alone.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/services/relay_slots.h"
#include "node/services/service_record.h"

namespace tiphys::node {

/// It keeps itself until both directions are over, or one of the two sides has broken off. A side that does not read
/// holds the other up: no more than kPieceBytes of a direction are kept, and nothing while it is idle.
class RelayedConnection : public std::enable_shared_from_this<RelayedConnection> {
 public:
  static constexpr std::size_t kPieceBytes = 64 * 1024;
  /// Targets that are tried, and how long each may take.
  static constexpr std::size_t kMostTries = 3;
  static constexpr std::chrono::seconds kConnectTimeout{5};

  using Socket = boost::asio::ip::tcp::socket;
  /// Gets the target that has answered.
  using OnConnected = std::move_only_function<void(const TcpAddress&)>;

  RelayedConnection(Socket client, RelaySlots::Held slot);
  /// The targets are tried in their order; when none answers the client is cut off.
  void start(std::vector<TcpAddress> targets, OnConnected on_connected);

 private:
  struct Flow {
    Socket& from;
    Socket& to;
    std::string unsent{};  ///< read, and not taken by the other side yet
    bool over = false;
  };

  void connect(std::size_t number);
  void connected();
  void wait_to_read(Flow& flow);
  void move(Flow& flow);
  void wait_to_write(Flow& flow);
  /// false when the connection is cut.
  bool send(Flow& flow, std::string_view bytes);
  void end(Flow& flow);
  /// Both sides are told that something broke off: a reset.
  void cut();

  Socket client_;
  Socket server_;
  boost::asio::steady_timer timer_;
  RelaySlots::Held slot_;
  std::vector<TcpAddress> targets_;
  OnConnected on_connected_;
  Flow up_{client_, server_};
  Flow down_{server_, client_};
  bool is_cut_ = false;
};

}  // namespace tiphys::node

// One listening socket at which Services are reached: takes connections and relays them. Of the relay's thread alone.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "node/services/relay_slots.h"
#include "node/services/target_choice.h"

namespace tiphys::node {

class PortRelay : public std::enable_shared_from_this<PortRelay> {
 public:
  using Acceptor = boost::asio::ip::tcp::acceptor;
  using Socket = boost::asio::ip::tcp::socket;
  /// Whose endpoints a connection is for; null: nobody's, and it is cut off.
  using Route = std::function<std::shared_ptr<TargetChoice>(Socket&)>;

  /// `client`: as whom all that connect count, where their addresses do not tell them apart.
  PortRelay(Acceptor acceptor, RelaySlots& slots, Route route, std::optional<Ipv4> client = std::nullopt)
      : acceptor_(std::move(acceptor)),
        pause_(acceptor_.get_executor()),
        slots_(slots),
        route_(std::move(route)),
        client_(client) {}

  /// Begins to take connections.
  void start() { accept(); }
  /// What is connected stays so.
  void close();

 private:
  void accept();
  void serve(Socket client);
  void pause();

  Acceptor acceptor_;
  boost::asio::steady_timer pause_;
  RelaySlots& slots_;
  Route route_;
  std::optional<Ipv4> client_;
};

}  // namespace tiphys::node

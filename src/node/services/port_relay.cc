#include "node/services/port_relay.h"

#include <boost/asio/post.hpp>

#include "base/log.h"
#include "base/unique_fd.h"
#include "node/services/relayed_connection.h"

namespace tiphys::node {
namespace {

using boost::system::error_code;

/// Out of descriptors, accepting is tried again after this.
constexpr std::chrono::milliseconds kAcceptPause(100);

}  // namespace

void PortRelay::accept() {
  if (!acceptor_.is_open()) return;
  if (slots_.full()) {
    slots_.wait([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      // Not from within the end of a connection.
      boost::asio::post(self->acceptor_.get_executor(), [self] { self->accept(); });
    });
    return;
  }
  acceptor_.async_accept([self = shared_from_this()](error_code failed, Socket client) {
    // Its listening may end before this thread hears of it.
    if (!self->acceptor_.is_open() || failed == boost::asio::error::invalid_argument) return;
    if (failed) {
      log::warn("accepting a connection to a service: {}", failed.message());
      return self->pause();
    }
    self->serve(std::move(client));
    self->accept();
  });
}

void PortRelay::pause() {
  pause_.expires_after(kAcceptPause);
  pause_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled) self->accept();
  });
}

void PortRelay::serve(Socket client) {
  close_on_exec(client.native_handle());
  error_code failed;
  const auto peer = client.remote_endpoint(failed);
  if (failed) return;  // it has gone
  const Ipv4 address = client_.value_or(peer.address().is_v4() ? peer.address().to_v4().to_uint() : 0);
  const auto choice = route_(client);
  auto targets = choice ? choice->order(address, TargetChoice::Instant::clock::now()) : std::vector<TcpAddress>();
  const auto connection = std::make_shared<RelayedConnection>(std::move(client), slots_.take());
  connection->start(std::move(targets), [choice, address](const TcpAddress& target) {
    choice->keep(address, target, TargetChoice::Instant::clock::now());
  });
}

void PortRelay::close() {
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace tiphys::node

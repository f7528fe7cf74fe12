#include "node/services/relayed_connection.h"

#include <array>
#include <boost/asio/buffer.hpp>

#include "base/network_doors.h"
#include "base/unique_fd.h"

namespace tiphys::node {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Pieces that are moved before others have their turn.
constexpr int kMostPieces = 8;

void prepare(RelayedConnection::Socket& socket) {
  error_code ignored;  // optimisations, all of them
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
}

void reset(RelayedConnection::Socket& socket) {
  error_code ignored;  // the other side may have closed it before
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

}  // namespace

RelayedConnection::RelayedConnection(Socket client, RelaySlots::Held slot)
    : client_(std::move(client)),
      server_(client_.get_executor()),
      timer_(client_.get_executor()),
      slot_(std::move(slot)) {}

void RelayedConnection::start(std::vector<TcpAddress> targets, OnConnected on_connected) {
  targets_ = std::move(targets);
  on_connected_ = std::move(on_connected);
  prepare(client_);
  connect(0);
}

void RelayedConnection::connect(std::size_t number) {
  if (number == std::min(targets_.size(), kMostTries)) return cut();
  const TcpAddress& target = targets_[number];
  error_code error;
  server_.close(error);
  UniqueFd socket(NetworkDoors::of_process().open_tcp(target.address));
  if (!socket) return connect(number + 1);
  server_.assign(tcp::v4(), socket.get(), error);
  if (error) return cut();
  static_cast<void>(socket.release());
  timer_.expires_after(kConnectTimeout);
  timer_.async_wait([self = shared_from_this()](error_code cancelled) {
    error_code ignored;
    if (!cancelled) self->server_.close(ignored);
  });
  server_.async_connect(tcp::endpoint(asio::ip::address_v4(target.address), target.port),
                        [self = shared_from_this(), number](error_code failed) {
                          self->timer_.cancel();
                          if (failed) return self->connect(number + 1);
                          if (self->on_connected_) self->on_connected_(self->targets_[number]);
                          self->connected();
                        });
}

void RelayedConnection::connected() {
  on_connected_ = nullptr;
  targets_ = {};
  prepare(server_);
  move(up_);
  if (!is_cut_) move(down_);
}

void RelayedConnection::wait_to_read(Flow& flow) {
  flow.from.async_wait(tcp::socket::wait_read, [self = shared_from_this(), &flow](error_code failed) {
    if (self->is_cut_) return;
    failed ? self->cut() : self->move(flow);
  });
}

void RelayedConnection::move(Flow& flow) {
  // One for all: what cannot be passed on at once is kept apart.
  static thread_local std::array<char, kPieceBytes> piece;
  for (int i = 0; i < kMostPieces; ++i) {
    error_code failed;
    const std::size_t count = flow.from.read_some(asio::buffer(piece), failed);
    if (failed == asio::error::would_block) break;
    if (failed == asio::error::eof) return end(flow);
    if (failed) return cut();
    if (!send(flow, {piece.data(), count})) return;
    if (!flow.unsent.empty()) return wait_to_write(flow);
  }
  wait_to_read(flow);
}

bool RelayedConnection::send(Flow& flow, std::string_view bytes) {
  while (!bytes.empty()) {
    error_code failed;
    const std::size_t count = flow.to.write_some(asio::buffer(bytes), failed);
    if (failed == asio::error::would_block) break;
    if (failed) {
      cut();
      return false;
    }
    bytes.remove_prefix(count);
  }
  flow.unsent = std::string(bytes);
  return true;
}

void RelayedConnection::wait_to_write(Flow& flow) {
  flow.to.async_wait(tcp::socket::wait_write, [self = shared_from_this(), &flow](error_code failed) {
    if (self->is_cut_) return;
    if (failed) return self->cut();
    const std::string unsent = std::exchange(flow.unsent, {});
    if (!self->send(flow, unsent)) return;
    flow.unsent.empty() ? self->move(flow) : self->wait_to_write(flow);
  });
}

/// The one that has nothing more to say may still listen.
void RelayedConnection::end(Flow& flow) {
  flow.over = true;
  error_code failed;
  flow.to.shutdown(tcp::socket::shutdown_send, failed);
  if (failed && failed != asio::error::not_connected) return cut();
  if (!up_.over || !down_.over) return;
  is_cut_ = true;
  error_code ignored;
  client_.close(ignored);
  server_.close(ignored);
}

void RelayedConnection::cut() {
  if (std::exchange(is_cut_, true)) return;
  timer_.cancel();
  reset(client_);
  reset(server_);
}

}  // namespace tiphys::node

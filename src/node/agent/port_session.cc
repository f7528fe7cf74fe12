#include "node/agent/port_session.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "node/agent/reaching_socket.h"

namespace tiphys::node {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds kConnectTimeout(10);

/// Handlers keep it; `gone` tells them that nobody asks any more.
struct Connected : std::enable_shared_from_this<Connected> {
  explicit Connected(asio::io_context& context) : socket(context) {}
  tcp::socket socket;
  std::string incoming, outgoing;
  bool gone = false;
};

class PortSession final : public cluster::Session {
 public:
  explicit PortSession(std::shared_ptr<Connected> connected) : connected_(std::move(connected)) {}
  ~PortSession() override {
    connected_->gone = true;
    error_code ignored;  // the peer may have closed it before
    connected_->socket.close(ignored);
  }

  void read(Output from, cluster::Done<std::string> done) override {
    if (from == Output::kErr) {
      return asio::post(connected_->socket.get_executor(), [connected = connected_, done = std::move(done)]() mutable {
        if (!connected->gone) done(std::string());
      });
    }
    connected_->incoming.resize(kMostPieceBytes);
    connected_->socket.async_read_some(
        asio::buffer(connected_->incoming),
        [connected = connected_, done = std::move(done)](error_code error, std::size_t count) mutable {
          if (connected->gone) return;
          if (error && error != asio::error::eof) return done(fail(Code::kUnavailable, error.message()));
          done(error ? std::string() : connected->incoming.substr(0, count));
        });
  }

  void write(std::string bytes, cluster::Done<void> done) override {
    connected_->outgoing = std::move(bytes);
    asio::async_write(connected_->socket, asio::buffer(connected_->outgoing),
                      [connected = connected_, done = std::move(done)](error_code error, std::size_t) mutable {
                        if (connected->gone) return;
                        if (error) return done(fail(Code::kUnavailable, error.message()));
                        done(Status());
                      });
  }

  void close_input() override {
    error_code ignored;  // the peer may have closed it before
    connected_->socket.shutdown(tcp::socket::shutdown_send, ignored);
  }
  void resize(unsigned short, unsigned short) override {}
  void wait(cluster::Done<int>) override {}

 private:
  std::shared_ptr<Connected> connected_;
};

}  // namespace

void connect_to_port(asio::io_context& context, const std::string& address, std::uint16_t port,
                     cluster::Done<std::unique_ptr<cluster::Session>> done) {
  error_code error;
  const auto host = asio::ip::make_address(address, error);
  const auto connected = std::make_shared<Connected>(context);
  if (!error) error = open_socket_to(host, connected->socket);
  if (error) {
    return asio::post(context, [error, address, done = std::move(done)]() mutable {
      done(fail(Code::kUnavailable, fmt::format("{}: {}", address, error.message())));
    });
  }
  const auto timer = std::make_shared<asio::steady_timer>(context, kConnectTimeout);
  timer->async_wait([connected, timer](error_code cancelled) {
    error_code ignored;
    if (!cancelled) connected->socket.close(ignored);
  });
  connected->socket.async_connect(
      tcp::endpoint(host, port), [connected, timer, address, port, done = std::move(done)](error_code failed) mutable {
        timer->cancel();
        if (failed == asio::error::operation_aborted) failed = asio::error::timed_out;
        if (failed) {
          return done(fail(Code::kUnavailable, fmt::format("connect to {}:{}: {}", address, port, failed.message())));
        }
        error_code ignored;  // an optimisation
        connected->socket.set_option(tcp::no_delay(true), ignored);
        done(std::make_unique<PortSession>(connected));
      });
}

}  // namespace tiphys::node

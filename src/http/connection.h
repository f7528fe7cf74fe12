// One connection to a server: found, connected, through a proxy and TLS where there are such. Only for client.cc and
// http2_client.cc.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "base/unix_path.h"
#include "http/client.h"

namespace tiphys::http {

/// What is to be spoken: TLS tells the server of it.
enum class Protocol { kHttp1, kHttp2 };

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Plain = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;
  using Opened = std::move_only_function<void(Status)>;

  Connection(boost::asio::io_context& context, Endpoint endpoint, Protocol protocol = Protocol::kHttp1);

  /// `opened` is never called from inside, and not any more after close(). kUnimplemented: the server does not speak
  /// the protocol.
  void open(std::chrono::seconds timeout, Opened opened);
  void close();
  /// Nothing has come and the server has not closed it: it can carry another request.
  bool idle();

  /// Calls `use` with the stream.
  template <typename Use>
  void with_stream(Use use) {
    tls_ ? use(*tls_) : use(plain_);
  }
  /// Of its time-outs.
  Plain& lowest() { return plain_; }
  /// What has come already.
  boost::beast::flat_buffer& buffer() { return buffer_; }
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  using error_code = boost::system::error_code;

  void resolve();
  void connect();
  void ask_proxy();
  void proxy_answered(error_code error);
  void shake_hands();
  void finish(Status status);
  std::unexpected<Error> unreachable(const error_code& error) const;
  std::unexpected<Error> no_handshake(const error_code& error);
  /// A handler that does nothing once the connection is closed.
  template <typename F>
  auto guarded(F task) {
    return [self = shared_from_this(), task = std::move(task)](error_code error, auto&&... rest) mutable {
      if (!self->closed_) task(*self, error, rest...);
    };
  }

  Plain plain_;
  std::optional<boost::asio::ssl::stream<Plain&>> tls_;
  boost::asio::ip::tcp::resolver resolver_;
  Endpoint endpoint_;
  Protocol protocol_;
  Opened opened_;
  Result<SocketPath> path_;
  std::vector<boost::asio::generic::stream_protocol::endpoint> addresses_;
  std::size_t next_address_ = 0;
  boost::beast::flat_buffer buffer_;
  boost::beast::http::request<boost::beast::http::empty_body> proxy_request_;
  std::optional<boost::beast::http::response_parser<boost::beast::http::empty_body>> proxy_answer_;
  bool closed_ = false;
};

}  // namespace tiphys::http

#include "http/connection.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "base/unique_fd.h"
#include "http/tls.h"

namespace tiphys::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// A peer that is gone without a word is found out within a minute, also while nothing is sent.
void watch_over(int fd) {
  const int on = 1, idle_seconds = 30, interval_seconds = 10, probes = 3, unanswered_ms = 60'000;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof interval_seconds);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
}

bool is_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

Connection::Connection(asio::io_context& context, Endpoint endpoint, Protocol protocol)
    : plain_(context), resolver_(context), endpoint_(std::move(endpoint)), protocol_(protocol) {}

void Connection::open(std::chrono::seconds timeout, Opened opened) {
  opened_ = std::move(opened);
  plain_.expires_after(timeout);
  if (endpoint_.unix_path.empty()) return resolve();
  path_ = SocketPath::of(endpoint_.unix_path);
  if (!path_) {
    return asio::post(plain_.get_executor(), [self = shared_from_this()] {
      if (!self->closed_) self->finish(std::unexpected(self->path_.error()));
    });
  }
  addresses_.emplace_back(asio::local::stream_protocol::endpoint(path_->text));
  connect();
}

void Connection::close() {
  closed_ = true;
  opened_ = nullptr;
  resolver_.cancel();
  plain_.close();
}

bool Connection::idle() {
  if (closed_ || buffer_.size() > 0) return false;
  char byte = 0;
  const ssize_t count = ::recv(plain_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::resolve() {
  const bool proxied = !endpoint_.proxy_host.empty();
  resolver_.async_resolve(
      proxied ? endpoint_.proxy_host : endpoint_.host, std::to_string(proxied ? endpoint_.proxy_port : endpoint_.port),
      guarded([](Connection& self, error_code error, const asio::ip::tcp::resolver::results_type& found) {
        if (error || found.empty()) return self.finish(self.unreachable(error));
        for (const auto& entry : found) self.addresses_.emplace_back(entry.endpoint());
        self.connect();
      }));
}

/// Tries one address after another: "localhost" has two, and a server may listen on one of them only.
void Connection::connect() {
  plain_.async_connect(addresses_[next_address_], guarded([](Connection& self, error_code error) {
                         if (error && ++self.next_address_ == self.addresses_.size()) {
                           return self.finish(self.unreachable(error));
                         }
                         if (error) {
                           self.plain_.socket().close(error);
                           return self.connect();
                         }
                         close_on_exec(self.plain_.socket().native_handle());
                         if (self.endpoint_.unix_path.empty()) watch_over(self.plain_.socket().native_handle());
                         if (!self.endpoint_.proxy_host.empty()) return self.ask_proxy();
                         if (self.endpoint_.tls) return self.shake_hands();
                         self.finish({});
                       }));
}

void Connection::ask_proxy() {
  const std::string target = endpoint_.text();
  proxy_request_ = {beast::http::verb::connect, target, 11};
  proxy_request_.set(beast::http::field::host, target);
  if (!endpoint_.proxy_authorization.empty()) {
    proxy_request_.set(beast::http::field::proxy_authorization, endpoint_.proxy_authorization);
  }
  beast::http::async_write(
      plain_, proxy_request_, guarded([](Connection& self, error_code error, std::size_t) {
        if (error) return self.finish(self.unreachable(error));
        self.proxy_answer_.emplace();
        self.proxy_answer_->skip(true);  // what follows is the tunnel
        beast::http::async_read_header(
            self.plain_, self.buffer_, *self.proxy_answer_,
            self.guarded([](Connection& again, error_code failed, std::size_t) { again.proxy_answered(failed); }));
      }));
}

void Connection::proxy_answered(error_code error) {
  if (error) return finish(unreachable(error));
  const unsigned code = proxy_answer_->get().result_int();
  if (code / 100 != 2) {
    return finish(
        fail(Code::kUnavailable, fmt::format("the proxy {}:{} does not connect to {}: HTTP {}", endpoint_.proxy_host,
                                             endpoint_.proxy_port, endpoint_.text(), code)));
  }
  endpoint_.tls ? shake_hands() : finish({});
}

void Connection::shake_hands() {
  tls_.emplace(plain_, endpoint_.tls->context());
  const std::string& name = endpoint_.tls->options().server_name;
  // An address is no name to be asked for (RFC 6066).
  if (!is_address(name)) SSL_set_tlsext_host_name(tls_->native_handle(), name.c_str());
  if (protocol_ == Protocol::kHttp2) {
    SSL_set_alpn_protos(tls_->native_handle(), reinterpret_cast<const unsigned char*>("\2h2"), 3);
  }
  tls_->async_handshake(asio::ssl::stream_base::client, guarded([](Connection& self, error_code error) {
                          if (error) return self.finish(self.no_handshake(error));
                          self.finish({});
                        }));
}

void Connection::finish(Status status) {
  auto opened = std::exchange(opened_, nullptr);
  if (!status) plain_.close();
  if (opened) opened(std::move(status));
}

std::unexpected<Error> Connection::unreachable(const error_code& error) const {
  if (error == beast::error::timeout) {
    return fail(Code::kUnavailable, fmt::format("{} does not answer", endpoint_.text()));
  }
  return fail(Code::kUnavailable, fmt::format("cannot connect to {}: {}", endpoint_.text(), error.message()));
}

std::unexpected<Error> Connection::no_handshake(const error_code& error) {
  if (error.category() == asio::error::get_ssl_category() &&
      ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) {
    return fail(Code::kUnimplemented, fmt::format("{} speaks no HTTP/2", endpoint_.text()));
  }
  const long verdict = SSL_get_verify_result(tls_->native_handle());
  if (verdict == X509_V_OK || endpoint_.tls->options().insecure) return unreachable(error);
  return fail(Code::kUnauthenticated, fmt::format("the certificate of {} is not trusted: {}", endpoint_.text(),
                                                  X509_verify_cert_error_string(verdict)));
}

}  // namespace tiphys::http

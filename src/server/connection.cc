#include "server/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cctype>
#include <cerrno>
#include <optional>

#include "base/log.h"
#include "base/strings.h"
#include "server/access.h"
#include "server/http2.h"
#include "server/refusals.h"
#include "server/routes.h"
#include "server/upgraded_wire.h"

namespace tiphys::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Plain = beast::basic_stream<asio::generic::stream_protocol>;
using Secure = asio::ssl::stream<Plain>;

/// From a connection's start, or its last answer, to the end of the next header.
constexpr std::chrono::seconds kIdleTimeout(60);
constexpr std::chrono::seconds kBodyTimeout(60);
constexpr std::chrono::seconds kReplyTimeout(120);
/// A reader of a stream that takes nothing for so long is gone.
constexpr std::chrono::seconds kStallTimeout(30);
constexpr std::chrono::seconds kLingerTimeout(5);

Impersonation impersonation_in(const http::fields& headers) {
  Impersonation found{.user = std::string(headers["Impersonate-User"]), .uid = std::string(headers["Impersonate-Uid"])};
  const auto [begin, end] = headers.equal_range("Impersonate-Group");
  for (auto group = begin; group != end; ++group) found.groups.emplace_back(group->value());
  return found;
}

std::vector<argo::ExtraHeader> extra_headers_of(const http::fields& headers) {
  std::vector<argo::ExtraHeader> found;
  for (const auto& header : headers) {
    std::string name = header.name_string();
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (name.starts_with("x-")) found.push_back({std::move(name), std::string(header.value())});
  }
  return found;
}

/// The words of all headers of this name: "a, b".
std::vector<std::string> words_of(const http::fields& headers, std::string_view name) {
  std::vector<std::string> words;
  for (auto [at, end] = headers.equal_range(name); at != end; ++at) {
    for (const std::string_view word : split(at->value(), ',')) {
      if (const std::string_view trimmed = trim(word); !trimmed.empty()) words.emplace_back(trimmed);
    }
  }
  return words;
}

/// As one, as HTTP/2 would have them (RFC 9113 8.2.3).
std::string cookies_in(const http::fields& headers) {
  std::string cookies;
  for (auto [at, end] = headers.equal_range(http::field::cookie); at != end; ++at) {
    if (!cookies.empty()) cookies += "; ";
    cookies += at->value();
  }
  return cookies;
}

std::optional<UpgradeRequest> upgrade_of(const http::request<http::string_body>& message) {
  if (!http::token_list(message[http::field::connection]).exists("upgrade")) return std::nullopt;
  return UpgradeRequest{.to = std::string(message[http::field::upgrade]),
                        .stream_protocols = words_of(message, "X-Stream-Protocol-Version"),
                        .websocket_protocols = words_of(message, "Sec-WebSocket-Protocol"),
                        .websocket_version = std::string(message[http::field::sec_websocket_version]),
                        .websocket_key = std::string(message[http::field::sec_websocket_key])};
}

/// `Stream` is a Plain or, with TLS on top, a Secure.
template <typename Stream>
class HttpConnection final : public Connection,
                             public Responder,
                             public std::enable_shared_from_this<HttpConnection<Stream>> {
 public:
  HttpConnection(Stream stream, const Entrance& entrance, std::move_only_function<void()> on_closed)
      : stream_(std::move(stream)), entrance_(entrance), on_closed_(std::move(on_closed)) {}

  void start() override {
    if (entrance_.gate) peer_ = peer_address(tcp().socket().native_handle());
    if constexpr (kSecure) {
      tcp().expires_after(kIdleTimeout);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = this->shared_from_this()](error_code error) {
        if (self->closed_) return;
        if (error) return self->close();
        self->chose_http2() ? self->speak_http2() : self->read_header();
      });
    } else {
      read_header();
    }
  }

  void speak_http2() {
    if (peer_.empty() && entrance_.gate) peer_ = peer_address(tcp().socket().native_handle());
    upgrade("", std::make_unique<Http2>(entrance_, peer_));
  }

  void refuse_plain() override {
    refuse_unread(400, "BadRequest", "a plain HTTP request was sent to a server of HTTPS");
  }
  void refuse() override { refuse_unread(503, "ServiceUnavailable", "the server has too many connections"); }

  void drop() override {
    if (upgraded_) return upgraded_->drop();
    close();
    source_.reset();
  }

  void upgrade(std::string head, std::unique_ptr<Speaker> speaker) override {
    if (closed_) return;
    closed_ = true;
    upgraded_ = std::make_shared<UpgradedWire<Stream>>(std::move(stream_), std::move(speaker),
                                                       std::exchange(on_closed_, nullptr));
    upgraded_->start(std::move(head), beast::buffers_to_string(buffer_.data()));
  }

  using Responder::begin_stream;
  using Responder::end_stream;
  using Responder::reply;
  void reply(AnswerHead head, std::string body) override {
    if (closed_) return;
    if (departure_noticed_) keep_alive_ = false;
    http::response<http::string_body> response(static_cast<http::status>(head.code), parser_->get().version());
    if (!head.content_type.empty()) response.set(http::field::content_type, head.content_type);
    response.set(http::field::cache_control, "no-cache, private");
    for (const auto& [name, value] : head.fields) response.insert(name, value);
    response.keep_alive(keep_alive_);
    response.body() = std::move(body);
    response.prepare_payload();
    response_.emplace(std::move(response));
    tcp().expires_after(kReplyTimeout);
    http::async_write(stream_, *response_, [self = this->shared_from_this()](error_code error, std::size_t) {
      self->response_.reset();
      if (self->closed_) return;
      if (error) return self->close();
      self->keep_alive_ ? self->read_header() : self->linger();
    });
  }

  void begin_stream(AnswerHead head) override {
    if (closed_) return;
    chunked_ = parser_->get().version() >= 11;
    pending_ = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nCache-Control: no-cache, private\r\nConnection: close\r\n", head.code,
        std::string_view(http::obsolete_reason(static_cast<http::status>(head.code))), head.content_type);
    for (const auto& [name, value] : head.fields) pending_ += fmt::format("{}: {}\r\n", name, value);
    pending_ += chunked_ ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n";
    notice_departure();
    flush();
  }

  void write(std::string chunk) override {
    if (closed_ || stream_ended_ || chunk.empty()) return;
    if (lag_bounded_ && pending_.size() > kMostLagBytes) {
      log::warn("a reader of a stream is cut: it lags behind by more than {} MiB", kMostLagBytes >> 20);
      return close();
    }
    if (chunked_) pending_ += fmt::format("{:x}\r\n", chunk.size());
    pending_ += chunk;
    if (chunked_) pending_ += "\r\n";
    flush();
    if (pending_.size() > kPauseBytes && source_ && !std::exchange(paused_, true)) source_->pause(true);
  }

  void bound_lag() override { lag_bounded_ = true; }

  void end_stream(HeaderFields) override {
    if (closed_ || stream_ended_) return;
    if (chunked_) pending_ += "0\r\n\r\n";
    stream_ended_ = true;
    flush();
  }

  void break_off() override { close(); }

  void hold(std::unique_ptr<cluster::Watch> source) override {
    source_ = std::move(source);
    closed_ ? let_go() : notice_departure();
  }

 private:
  static constexpr bool kSecure = std::is_same_v<Stream, Secure>;

  bool chose_http2() {
    if constexpr (kSecure) {
      const unsigned char* name = nullptr;
      unsigned size = 0;
      SSL_get0_alpn_selected(stream_.native_handle(), &name, &size);
      return std::string_view(reinterpret_cast<const char*>(name), size) == "h2";
    }
    return false;
  }

  Plain& tcp() { return beast::get_lowest_layer(stream_); }

  void close() {
    if (closed_) return;
    closed_ = true;
    error_code ignored;  // the peer may have closed it before
    tcp().socket().shutdown(asio::socket_base::shutdown_both, ignored);
    tcp().close();
    let_go();
  }

  /// Ends the source, though not from within: it may be in the midst of telling us something.
  void let_go() {
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] {
      self->source_.reset();
      if (auto on_closed = std::exchange(self->on_closed_, nullptr)) on_closed();
    });
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(kMostHeaderBytes);
    parser_->body_limit(kMostBodyBytes);
    tcp().expires_after(kIdleTimeout);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = this->shared_from_this()](error_code error, std::size_t) {
                              if (self->closed_) return;
                              if (error) return self->answer_read_error(error);
                              self->on_header();
                            });
  }

  void on_header() {
    const auto& request = parser_->get();
    keep_alive_ = request.keep_alive();
    if (!may_enter(request)) return;
    if (beast::iequals(request[http::field::expect], "100-continue")) return invite_body();
    read_body();
  }

  bool may_enter(const http::request<http::string_body>& request) {
    const std::string cookie = cookies_in(request);
    auto caller = let_in(entrance_,
                         {.method = request.method_string(),
                          .target = request.target(),
                          .user_agent = request[http::field::user_agent],
                          .peer = peer_,
                          .at = system_now()},
                         {.host = request[http::field::host],
                          .origin = request[http::field::origin],
                          .authorization = request[http::field::authorization],
                          .cookie = cookie,
                          .fetch_site = request[http::field::sec_fetch_site]});
    if (!caller) {
      refuse_unread(caller.error().code, caller.error().reason, caller.error().message);
      return false;
    }
    caller_ = std::move(*caller);
    const std::size_t most = most_body_bytes(caller_.get());
    parser_->body_limit(most);
    if (parser_->content_length().value_or(0) <= most) return true;
    answer_read_error(http::make_error_code(http::error::body_limit));
    return false;
  }

  /// Answers a request whose body is not read; its connection ends.
  void refuse_unread(unsigned code, std::string_view reason, std::string_view message) {
    keep_alive_ = false;
    if (!parser_) parser_.emplace();
    Request request;
    request.target = parser_->get().target();
    refuse_request(entrance_.served, request, {code, std::string(reason), std::string(message)}, *this);
  }

  void answer_read_error(error_code error) {
    if (error == http::error::header_limit) {
      return refuse_unread(431, "RequestHeaderFieldsTooLarge",
                           fmt::format("the header is larger than {} KiB", kMostHeaderBytes >> 10));
    }
    if (error == http::error::body_limit) {
      const objects::Refusal refusal = too_large_body(most_body_bytes(caller_.get()));
      return refuse_unread(refusal.code, refusal.reason, refusal.message);
    }
    const bool gone = error == http::error::end_of_stream || error == http::error::partial_message ||
                      error.category() != http::make_error_code(http::error::bad_method).category();
    if (gone) return close();
    refuse_unread(400, "BadRequest", "malformed HTTP: " + error.message());
  }

  void invite_body() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    tcp().expires_after(kBodyTimeout);
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = this->shared_from_this()](error_code error, std::size_t) {
                        if (self->closed_) return;
                        error ? self->close() : self->read_body();
                      });
  }

  void read_body() {
    tcp().expires_after(kBodyTimeout);
    http::async_read(stream_, buffer_, *parser_, [self = this->shared_from_this()](error_code error, std::size_t) {
      if (self->closed_) return;
      if (error) return self->answer_read_error(error);
      auto& message = self->parser_->get();
      Request request;
      request.method = message.method_string();
      request.target = message.target();
      request.content_type = message[http::field::content_type];
      request.accept = message[http::field::accept];
      request.user_agent = message[http::field::user_agent];
      request.peer = self->peer_;
      request.host = message[http::field::host];
      request.cookie = cookies_in(message);
      request.caller = self->caller_;
      request.impersonation = impersonation_in(message);
      request.extra = extra_headers_of(message);
      request.body = std::move(message.body());
      request.upgrade = upgrade_of(message);
      request.at = system_now();
      handle(self->entrance_.served, std::move(request), self);
    });
  }

  void flush() {
    if (!writing_.empty()) return;
    if (pending_.empty()) {
      if (stream_ended_) linger();
      return;
    }
    writing_.swap(pending_);
    written_ = 0;
    write_some();
    if (source_ && std::exchange(paused_, false)) source_->pause(false);
  }

  void write_some() {
    tcp().expires_after(kStallTimeout);
    stream_.async_write_some(asio::buffer(writing_.data() + written_, writing_.size() - written_),
                             [self = this->shared_from_this()](error_code error, std::size_t count) {
                               if (self->closed_) return;
                               if (error) return self->close();
                               self->written_ += count;
                               if (self->written_ < self->writing_.size()) return self->write_some();
                               self->writing_.clear();
                               self->flush();
                             });
  }

  /// While a stream goes on the peer has nothing to say: what comes is its end.
  void notice_departure() {
    if (std::exchange(departure_noticed_, true)) return;
    tcp().expires_never();
    stream_.async_read_some(asio::buffer(scratch_),
                            [self = this->shared_from_this()](error_code, std::size_t) { self->close(); });
  }

  /// Lets the peer read the answer before the connection goes, though it may still be sending.
  void linger() {
    if constexpr (kSecure) {
      tcp().expires_after(kLingerTimeout);
      return stream_.async_shutdown([self = this->shared_from_this()](error_code) { self->close_soon(); });
    }
    error_code error;
    tcp().socket().shutdown(asio::socket_base::shutdown_send, error);
    if (error || departure_noticed_) return close_soon();
    tcp().expires_after(kLingerTimeout);
    discard();
  }

  void discard() {
    stream_.async_read_some(asio::buffer(scratch_), [self = this->shared_from_this()](error_code error, std::size_t) {
      if (self->closed_) return;
      error ? self->close() : self->discard();
    });
  }

  /// The reading that notices the peer's departure is still under way.
  void close_soon() {
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] { self->close(); });
  }

  Stream stream_;
  const Entrance entrance_;
  std::string peer_;                               ///< its address
  std::shared_ptr<const objects::Caller> caller_;  ///< of the request that is read
  std::move_only_function<void()> on_closed_;
  beast::flat_buffer buffer_{kMostHeaderBytes + 64 * 1024};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::unique_ptr<cluster::Watch> source_;
  std::shared_ptr<UpgradedWire<Stream>> upgraded_;  ///< what the connection has become
  std::string pending_, writing_;
  std::size_t written_ = 0;
  std::array<char, 4096> scratch_;
  bool keep_alive_ = false;
  bool paused_ = false;
  bool chunked_ = false;
  bool lag_bounded_ = false;
  bool stream_ended_ = false;
  bool departure_noticed_ = false;
  bool closed_ = false;
};

/// Waits for a client's first bytes, which tell TLS from plain text, and HTTP/2 from HTTP/1.1.
class Doorway final : public Connection, public std::enable_shared_from_this<Doorway> {
 public:
  Doorway(asio::generic::stream_protocol::socket socket, const Entrance& entrance,
          std::move_only_function<void()> on_closed)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        entrance_(entrance),
        on_closed_(std::move(on_closed)) {}

  void start() override {
    // Enough to tell what is spoken: a client that says less says nothing.
    wake_up_after(3);
    timer_.expires_after(kIdleTimeout);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error && !self->inside_) self->leave();
    });
    wait();
  }

  void refuse() override {
    let_in_plain();
    inside_->refuse();
  }
  void refuse_plain() override {
    let_in_plain();
    inside_->refuse_plain();
  }

  void drop() override {
    timer_.cancel();
    if (inside_) return inside_->drop();
    error_code ignored;  // the peer may have closed it before
    socket_.close(ignored);
  }

 private:
  void wait() {
    socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code error) {
      if (!self->on_closed_) return;
      error ? self->leave() : self->let_in();
    });
  }

  void let_in() {
    constexpr char kHandshake = 22;  // RFC 8446 5.1
    char first[3];
    const auto count = ::recv(socket_.native_handle(), first, sizeof first, MSG_PEEK);
    // A socket may seem readable without anything there.
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return wait();
    if (count < 1) return leave();
    timer_.cancel();
    wake_up_after(1);
    if (entrance_.tls && first[0] == kHandshake) {
      inside_ = std::make_shared<HttpConnection<Secure>>(Secure(Plain(std::move(socket_)), *entrance_.tls), entrance_,
                                                         std::exchange(on_closed_, nullptr));
      return inside_->start();
    }
    const auto plain = let_in_plain();
    if (entrance_.tls && entrance_.is_public) return plain->refuse_plain();
    // No method of HTTP/1.1 that is served begins so.
    const bool http2 = std::string_view(first, static_cast<std::size_t>(count)) == kHttp2Preface.substr(0, 3);
    http2 ? plain->speak_http2() : plain->start();
  }

  void wake_up_after(int bytes) {
    // An optimisation: without it one byte wakes us, which tells TLS from plain text alone.
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
  }

  std::shared_ptr<HttpConnection<Plain>> let_in_plain() {
    auto plain = std::make_shared<HttpConnection<Plain>>(Plain(std::move(socket_)), entrance_,
                                                         std::exchange(on_closed_, nullptr));
    inside_ = plain;
    return plain;
  }

  void leave() {
    timer_.cancel();
    error_code ignored;  // the peer may have closed it before
    socket_.close(ignored);
    if (auto on_closed = std::exchange(on_closed_, nullptr)) on_closed();
  }

  asio::generic::stream_protocol::socket socket_;
  asio::steady_timer timer_;
  const Entrance entrance_;
  std::move_only_function<void()> on_closed_;
  std::shared_ptr<Connection> inside_;
};

}  // namespace

std::shared_ptr<Connection> make_connection(asio::generic::stream_protocol::socket socket, const Entrance& entrance,
                                            std::move_only_function<void()> on_closed) {
  return std::make_shared<Doorway>(std::move(socket), entrance, std::move(on_closed));
}

}  // namespace tiphys::server

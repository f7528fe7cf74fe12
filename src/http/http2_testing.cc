#include "http/http2_testing.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <optional>
#include <set>

namespace tiphys::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::vector<nghttp2_nv> list_of(const Fields& fields) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : fields) {
    list.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                    NGHTTP2_NV_FLAG_NONE});
  }
  return list;
}

/// Says that the server speaks the one protocol that it has been given, or fails.
int choose(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned int length,
           void* own) {
  const auto& protocol = *static_cast<const std::string*>(own);
  for (unsigned int at = 0; at < length; at += offered[at] + 1U) {
    *chosen = offered + at + 1;
    *size = offered[at];
    if (protocol == std::string_view(reinterpret_cast<const char*>(*chosen), *size)) return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

class Http2Session;

}  // namespace

class Http2Server::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::io_context& context, Script with, const TestCertificate* certificate, std::string protocol)
      : script(std::move(with)),
        protocol_(std::move(protocol)),
        acceptor_(context, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {
    if (!certificate) return;
    tls.emplace(asio::ssl::context::tls_server);
    tls->use_certificate_chain(asio::buffer(certificate->certificate));
    tls->use_private_key(asio::buffer(certificate->key), asio::ssl::context::pem);
    if (!protocol_.empty()) SSL_CTX_set_alpn_select_cb(tls->native_handle(), choose, &protocol_);
  }

  void accept();
  void close();
  unsigned short port() const { return acceptor_.local_endpoint().port(); }

  Script script;
  std::optional<asio::ssl::context> tls;
  std::vector<SeenHttp2Request> seen;
  int connections = 0, cancelled = 0;
  std::set<std::shared_ptr<Http2Session>> sessions;

 private:
  std::string protocol_;
  tcp::acceptor acceptor_;
  bool closed_ = false;
};

namespace {

class Http2Session : public std::enable_shared_from_this<Http2Session> {
 public:
  Http2Session(tcp::socket socket, const std::shared_ptr<Http2Server::State>& server, int number)
      : socket_(std::move(socket)), server_(server), number_(number) {
    if (server->tls) tls_.emplace(socket_, *server->tls);
    nghttp2_session_callbacks* events = nullptr;
    nghttp2_session_callbacks_new(&events);
    nghttp2_session_callbacks_set_on_header_callback(events, add_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(events, add_body);
    nghttp2_session_callbacks_set_on_frame_recv_callback(events, end_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(events, end_stream);
    nghttp2_session_server_new(&session_, events, this);
    nghttp2_session_callbacks_del(events);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Http2Session() { nghttp2_session_del(session_); }
  Http2Session(const Http2Session&) = delete;

  void start() {
    if (!tls_) return begin();
    tls_->async_handshake(asio::ssl::stream_base::server,
                          [self = shared_from_this()](error_code error) { error ? self->close() : self->begin(); });
  }
  void close() {
    error_code ignored;
    socket_.close(ignored);
    if (const auto server = server_.lock()) server->sessions.erase(shared_from_this());
  }

 private:
  struct Exchange {
    SeenHttp2Request request;
    Http2Answer answer;
    std::size_t part = 0, at = 0;  ///< what has been sent
  };

  void begin() {
    write();
    read();
  }

  void read() {
    const auto got = [self = shared_from_this()](error_code error, std::size_t count) {
      if (error) return self->close();
      nghttp2_session_mem_recv(self->session_, self->incoming_.data(), count);
      if (self->cut_) return self->close();
      self->write();
      self->read();
    };
    tls_ ? tls_->async_read_some(asio::buffer(incoming_), got) : socket_.async_read_some(asio::buffer(incoming_), got);
  }

  void write() {
    if (!outgoing_.empty()) return;
    const std::uint8_t* bytes = nullptr;
    for (auto size = nghttp2_session_mem_send(session_, &bytes); size > 0;
         size = nghttp2_session_mem_send(session_, &bytes)) {
      outgoing_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
    if (outgoing_.empty()) return;
    const auto wrote = [self = shared_from_this()](error_code error, std::size_t) {
      self->outgoing_.clear();
      if (!error) self->write();
    };
    tls_ ? asio::async_write(*tls_, asio::buffer(outgoing_), wrote)
         : asio::async_write(socket_, asio::buffer(outgoing_), wrote);
  }

  void answer(std::int32_t id) {
    using Then = Http2Answer::Then;
    const auto server = server_.lock();
    if (!server) return;
    Exchange& exchange = exchanges_[id];
    exchange.request.connection = number_;
    server->seen.push_back(exchange.request);
    exchange.answer = server->script(exchange.request);
    const Then then = exchange.answer.then;
    cut_ = cut_ || then == Then::kCut;
    if (then == Then::kRefuse) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
      return;
    }
    const bool only_head = exchange.answer.parts.empty() && exchange.answer.trailers.empty() && then == Then::kEnd;
    const std::vector<nghttp2_nv> fields = list_of(exchange.answer.fields);
    const nghttp2_data_provider body{.source = {}, .read_callback = read_body};
    nghttp2_submit_response(session_, id, fields.data(), fields.size(), only_head ? nullptr : &body);
    if (then == Then::kGoAway) nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR, nullptr, 0);
  }

  static Http2Session& of(void* user) { return *static_cast<Http2Session*>(user); }

  static int add_field(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    of(user).exchanges_[frame->hd.stream_id].request.fields.emplace(
        std::string(reinterpret_cast<const char*>(name), name_size),
        std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }

  static int add_body(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
                      void* user) {
    of(user).exchanges_[id].request.body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }

  static int end_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    const bool asks = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (asks && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) of(user).answer(frame->hd.stream_id);
    return 0;
  }

  static int end_stream(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    const auto server = of(user).server_.lock();
    if (server && error == NGHTTP2_CANCEL) ++server->cancelled;
    of(user).exchanges_.erase(id);
    return 0;
  }

  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t most,
                           std::uint32_t* flags, nghttp2_data_source*, void* user) {
    using Then = Http2Answer::Then;
    Exchange& exchange = of(user).exchanges_[id];
    std::size_t size = 0;
    if (exchange.part < exchange.answer.parts.size()) {
      const std::string& part = exchange.answer.parts[exchange.part];
      size = std::min(most, part.size() - exchange.at);
      std::memcpy(into, part.data() + exchange.at, size);
      exchange.at += size;
      if (exchange.at < part.size()) return static_cast<ssize_t>(size);
      ++exchange.part;
      exchange.at = 0;
      if (exchange.part < exchange.answer.parts.size()) return static_cast<ssize_t>(size);
      if (exchange.answer.then == Then::kHold || exchange.answer.then == Then::kReset)
        return static_cast<ssize_t>(size);
    } else if (exchange.answer.then == Then::kHold) {
      return NGHTTP2_ERR_DEFERRED;
    } else if (exchange.answer.then == Then::kReset) {
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!exchange.answer.trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const std::vector<nghttp2_nv> trailers = list_of(exchange.answer.trailers);
      nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
    }
    return static_cast<ssize_t>(size);
  }

  tcp::socket socket_;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;
  const std::weak_ptr<Http2Server::State> server_;
  const int number_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Exchange> exchanges_;
  std::array<std::uint8_t, 16 * 1024> incoming_;
  std::string outgoing_;
  bool cut_ = false;
};

}  // namespace

void Http2Server::State::accept() {
  acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
    if (error || self->closed_) return;
    const auto session = std::make_shared<Http2Session>(std::move(socket), self, ++self->connections);
    self->sessions.insert(session);
    session->start();
    self->accept();
  });
}

void Http2Server::State::close() {
  closed_ = true;
  acceptor_.close();
  for (const auto& session : std::exchange(sessions, {})) session->close();
}

Http2Server::Http2Server(asio::io_context& context, Script script, const TestCertificate* certificate,
                         std::string protocol)
    : state_(std::make_shared<State>(context, std::move(script), certificate, std::move(protocol))) {
  state_->accept();
}

Http2Server::~Http2Server() {
  state_->close();
}

unsigned short Http2Server::port() const {
  return state_->port();
}

const std::vector<SeenHttp2Request>& Http2Server::seen() const {
  return state_->seen;
}

int Http2Server::connections() const {
  return state_->connections;
}

int Http2Server::cancelled() const {
  return state_->cancelled;
}

}  // namespace tiphys::http

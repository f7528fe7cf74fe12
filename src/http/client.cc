#include "http/client.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <deque>

#include "http/connection.h"

namespace tiphys::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

}  // namespace

class Conversation;

/// The connections of a client.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(asio::io_context& context, Endpoint endpoint, ClientLimits limits)
      : context_(context), endpoint_(std::move(endpoint)), limits_(limits) {}

  /// Gives it a connection, now or when one is free.
  void serve(std::shared_ptr<Conversation> conversation);
  /// A conversation of the bounded ones is over.
  void take_back(std::shared_ptr<Connection> connection, bool reusable);
  std::shared_ptr<Connection> make_connection() { return std::make_shared<Connection>(context_, endpoint_); }
  void set_tls(std::shared_ptr<const Tls> tls) {
    endpoint_.tls = std::move(tls);
    for (const auto& connection : std::exchange(idle_, {})) connection->close();
  }

  const Endpoint& endpoint() const { return endpoint_; }
  const ClientLimits& limits() const { return limits_; }

 private:
  std::shared_ptr<Connection> take_idle();

  asio::io_context& context_;
  Endpoint endpoint_;
  ClientLimits limits_;
  std::vector<std::shared_ptr<Connection>> idle_;
  std::deque<std::weak_ptr<Conversation>> waiting_;
  std::size_t busy_ = 0;
};

/// One request and its answer.
class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(std::shared_ptr<Pool> pool, Request request, Sink sink)
      : pool_(std::move(pool)), endless_(request.endless), longest_(request.longest), sink_(std::move(sink)) {
    const Endpoint& endpoint = pool_->endpoint();
    request_.method_string(request.method);
    request_.target(request.target);
    request_.version(11);
    request_.set(beast::http::field::host, endpoint.unix_path.empty() ? endpoint.text() : "localhost");
    request_.set(beast::http::field::user_agent, "tiphys");
    if (!endpoint.token.empty()) request_.set(beast::http::field::authorization, "Bearer " + endpoint.token);
    for (const auto& [name, value] : request.headers) request_.insert(name, value);
    if (!request.content_type.empty()) request_.set(beast::http::field::content_type, request.content_type);
    request_.keep_alive(keeps());
    request_.body() = std::move(request.body);
    request_.prepare_payload();
  }

  void start() {
    if (!endless_) return pool_->serve(shared_from_this());
    open(pool_->make_connection());
  }

  /// Opens the connection and speaks on it.
  void open(std::shared_ptr<Connection> connection) {
    connection_ = std::move(connection);
    connection_->open(pool_->limits().connect_timeout, [self = shared_from_this()](Status status) {
      if (self->done_) return;
      status ? self->send() : self->finish(std::move(status));
    });
  }
  /// Speaks on one that has been used.
  void go_on_with(std::shared_ptr<Connection> connection) {
    connection_ = std::move(connection);
    reused_ = true;
    send();
  }

  /// Nobody listens any more.
  void abandon() {
    if (done_) return;
    done_ = true;
    give_back(false);
  }
  bool done() const { return done_; }

 private:
  bool keeps() const { return pool_->limits().keep && !endless_; }

  // Handlers hold the connection: what is under way on it may end after this has let go of it.

  void send() {
    connection_->lowest().expires_after(pool_->limits().send_timeout);
    connection_->with_stream([this](auto& stream) {
      beast::http::async_write(stream, request_,
                               [self = shared_from_this(), held = connection_](error_code error, std::size_t) {
                                 if (self->done_) return;
                                 // A server that refuses a body answers before it has read it all: the answer tells
                                 // why.
                                 self->refused_ = error;
                                 self->read_head();
                               });
    });
  }

  void expect_answer() {
    beast::basic_stream<asio::generic::stream_protocol>& stream = connection_->lowest();
    if (!endless_) return stream.expires_after(pool_->limits().answer_timeout);
    if (longest_ == std::chrono::seconds::zero()) return stream.expires_never();
    if (!timed_) stream.expires_after(longest_);
    timed_ = true;
  }

  void read_head() {
    parser_.emplace();
    parser_->body_limit(boost::none);
    expect_answer();
    connection_->with_stream([this](auto& stream) {
      beast::http::async_read_header(stream, connection_->buffer(), *parser_,
                                     [self = shared_from_this(), held = connection_](error_code error, std::size_t) {
                                       if (!self->done_) self->head_read(error);
                                     });
    });
  }

  void head_read(error_code error) {
    if (error && reused_ && !parser_->got_some() && request_.method() == beast::http::verb::get) {
      // The server closed it just as it was used again: what asks only may ask once more.
      reused_ = false;
      connection_->close();
      return open(pool_->make_connection());
    }
    if (error) return finish(broken_off(refused_ ? refused_ : error));
    const auto& head = parser_->get();
    if (sink_.on_head) {
      sink_.on_head({.code = head.result_int(), .retry_after = std::string(head[beast::http::field::retry_after])});
    }
    if (!done_) read_body();
  }

  void read_body() {
    if (parser_->is_done()) return finish({});
    expect_answer();
    parser_->get().body().data = part_.data();
    parser_->get().body().size = part_.size();
    connection_->with_stream([this](auto& stream) {
      beast::http::async_read_some(stream, connection_->buffer(), *parser_,
                                   [self = shared_from_this(), held = connection_](error_code error, std::size_t) {
                                     if (!self->done_) self->body_read(error);
                                   });
    });
  }

  void body_read(error_code error) {
    if (error == beast::http::error::need_buffer) error = {};
    const std::size_t count = part_.size() - parser_->get().body().size;
    if (count > 0 && sink_.on_body) sink_.on_body({part_.data(), count});
    if (done_) return;
    error ? finish(broken_off(error)) : read_body();
  }

  std::unexpected<Error> broken_off(const error_code& error) const {
    const std::string server = pool_->endpoint().text();
    if (error == beast::error::timeout) {
      return fail(Code::kDeadlineExceeded, fmt::format("{} does not answer in time", server));
    }
    return fail(Code::kUnavailable, fmt::format("the connection to {} was lost: {}", server, error.message()));
  }

  void give_back(bool reusable) {
    auto connection = std::exchange(connection_, nullptr);
    if (!connection) return;
    if (endless_) return connection->close();
    pool_->take_back(std::move(connection), reusable);
  }

  void finish(Status status) {
    if (done_) return;
    done_ = true;
    give_back(status && !refused_ && keeps() && parser_->get().keep_alive());
    if (sink_.on_end) sink_.on_end(std::move(status));
  }

  std::shared_ptr<Pool> pool_;
  std::shared_ptr<Connection> connection_;
  bool endless_;
  std::chrono::seconds longest_;
  Sink sink_;
  beast::http::request<beast::http::string_body> request_;
  std::optional<beast::http::response_parser<beast::http::buffer_body>> parser_;
  std::array<char, 64 * 1024> part_;
  error_code refused_;
  bool reused_ = false;  ///< the connection had been used before
  bool timed_ = false;
  bool done_ = false;
};

void Pool::serve(std::shared_ptr<Conversation> conversation) {
  if (std::shared_ptr<Connection> connection = take_idle()) {
    ++busy_;
    return conversation->go_on_with(std::move(connection));
  }
  if (busy_ >= limits_.most_connections) {
    waiting_.push_back(std::move(conversation));
    return;
  }
  ++busy_;
  conversation->open(make_connection());
}

std::shared_ptr<Connection> Pool::take_idle() {
  while (!idle_.empty()) {
    std::shared_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->idle()) return connection;
    connection->close();
  }
  return nullptr;
}

void Pool::take_back(std::shared_ptr<Connection> connection, bool reusable) {
  --busy_;
  // Not with a certificate that is no more shown.
  if (reusable && connection->endpoint().tls == endpoint_.tls) {
    idle_.push_back(std::move(connection));
  } else {
    connection->close();
  }
  while (!waiting_.empty() && busy_ < limits_.most_connections) {
    const std::shared_ptr<Conversation> next = waiting_.front().lock();
    waiting_.pop_front();
    if (next && !next->done()) serve(next);
  }
}

namespace {

class OwnedConversation final : public Call {
 public:
  explicit OwnedConversation(std::shared_ptr<Conversation> conversation) : conversation_(std::move(conversation)) {}
  ~OwnedConversation() override { conversation_->abandon(); }

 private:
  std::shared_ptr<Conversation> conversation_;
};

}  // namespace

std::string Endpoint::text() const {
  if (!unix_path.empty()) return unix_path;
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Client::Client(asio::io_context& context, Endpoint endpoint, ClientLimits limits)
    : pool_(std::make_shared<Pool>(context, std::move(endpoint), limits)) {}

std::unique_ptr<Call> Client::call(Request request, Sink sink) {
  auto conversation = std::make_shared<Conversation>(pool_, std::move(request), std::move(sink));
  conversation->start();
  return std::make_unique<OwnedConversation>(std::move(conversation));
}

void Client::set_tls(std::shared_ptr<const Tls> tls) {
  pool_->set_tls(std::move(tls));
}

const Endpoint& Client::endpoint() const {
  return pool_->endpoint();
}

}  // namespace tiphys::http

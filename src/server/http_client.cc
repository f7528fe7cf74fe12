#include "server/http_client.h"

#include <fmt/format.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <vector>

#include "base/unique_fd.h"
#include "server/unix_path.h"

namespace tiphys::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::chrono::seconds kConnectTimeout(5);
constexpr std::chrono::seconds kSendTimeout(60);
constexpr std::chrono::seconds kAnswerTimeout(120);

class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(asio::io_context& context, Endpoint endpoint, HttpRequest request, HttpSink sink)
      : stream_(context),
        resolver_(context),
        endpoint_(std::move(endpoint)),
        endless_(request.endless),
        sink_(std::move(sink)) {
    request_.method_string(request.method);
    request_.target(request.target);
    request_.version(11);
    request_.set(http::field::host, endpoint_.unix_path.empty() ? endpoint_.text() : "localhost");
    request_.set(http::field::user_agent, "tiphys");
    if (!endpoint_.token.empty()) request_.set(http::field::authorization, "Bearer " + endpoint_.token);
    if (!request.content_type.empty()) request_.set(http::field::content_type, request.content_type);
    request_.keep_alive(false);
    request_.body() = std::move(request.body);
    request_.prepare_payload();
  }

  void start() {
    stream_.expires_after(kConnectTimeout);
    if (!endpoint_.unix_path.empty()) {
      path_ = SocketPath::of(endpoint_.unix_path);
      if (!path_) return finish_later(path_.error());
      addresses_.emplace_back(asio::local::stream_protocol::endpoint(path_->text));
      return connect();
    }
    resolver_.async_resolve(
        endpoint_.host, std::to_string(endpoint_.port),
        [self = shared_from_this()](error_code error, const asio::ip::tcp::resolver::results_type& found) {
          if (self->done_) return;
          if (error || found.empty()) return self->finish(self->unreachable(error));
          for (const auto& entry : found) self->addresses_.emplace_back(entry.endpoint());
          self->connect();
        });
  }

  /// Nobody listens any more.
  void abandon() {
    done_ = true;
    resolver_.cancel();
    stream_.close();
  }

 private:
  /// Tries one address after another: "localhost" has two, and a server may listen on one of them only.
  void connect() {
    stream_.async_connect(addresses_[next_address_], [self = shared_from_this()](error_code error) {
      if (self->done_) return;
      if (!error) {
        close_on_exec(self->stream_.socket().native_handle());
        return self->send();
      }
      if (++self->next_address_ == self->addresses_.size()) return self->finish(self->unreachable(error));
      self->stream_.socket().close(error);
      self->connect();
    });
  }

  void send() {
    stream_.expires_after(kSendTimeout);
    http::async_write(stream_, request_, [self = shared_from_this()](error_code error, std::size_t) {
      if (self->done_) return;
      // A server that refuses a body answers before it has read it all: the answer tells why.
      self->refused_ = error;
      self->read_head();
    });
  }

  void read_head() {
    parser_.body_limit(boost::none);
    endless_ ? stream_.expires_never() : stream_.expires_after(kAnswerTimeout);
    http::async_read_header(stream_, buffer_, parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (self->done_) return;
      if (error) return self->finish(self->broken_off(self->refused_ ? self->refused_ : error));
      if (self->sink_.on_head) self->sink_.on_head(self->parser_.get().result_int());
      if (!self->done_) self->read_body();
    });
  }

  void read_body() {
    if (parser_.is_done()) return finish({});
    if (!endless_) stream_.expires_after(kAnswerTimeout);
    parser_.get().body().data = part_.data();
    parser_.get().body().size = part_.size();
    http::async_read_some(stream_, buffer_, parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (self->done_) return;
      if (error == http::error::need_buffer) error = {};
      const std::size_t count = self->part_.size() - self->parser_.get().body().size;
      if (count > 0 && self->sink_.on_body) self->sink_.on_body({self->part_.data(), count});
      if (self->done_) return;
      error ? self->finish(self->broken_off(error)) : self->read_body();
    });
  }

  std::unexpected<Error> unreachable(const error_code& error) const {
    if (error == beast::error::timeout)
      return fail(Code::kUnavailable, fmt::format("{} does not answer", endpoint_.text()));
    return fail(Code::kUnavailable, fmt::format("cannot connect to {}: {}", endpoint_.text(), error.message()));
  }

  std::unexpected<Error> broken_off(const error_code& error) const {
    if (error == beast::error::timeout) {
      return fail(Code::kDeadlineExceeded, fmt::format("{} does not answer in time", endpoint_.text()));
    }
    return fail(Code::kUnavailable,
                fmt::format("the connection to {} was lost: {}", endpoint_.text(), error.message()));
  }

  void finish(Status status) {
    if (done_) return;
    done_ = true;
    stream_.close();
    if (sink_.on_end) sink_.on_end(std::move(status));
  }

  void finish_later(Error error) {
    asio::post(stream_.get_executor(), [self = shared_from_this(), error = std::move(error)]() mutable {
      self->finish(std::unexpected(std::move(error)));
    });
  }

  beast::basic_stream<asio::generic::stream_protocol> stream_;
  asio::ip::tcp::resolver resolver_;
  Endpoint endpoint_;
  bool endless_;
  HttpSink sink_;
  Result<SocketPath> path_;
  std::vector<asio::generic::stream_protocol::endpoint> addresses_;
  std::size_t next_address_ = 0;
  http::request<http::string_body> request_;
  http::response_parser<http::buffer_body> parser_;
  beast::flat_buffer buffer_;
  std::array<char, 64 * 1024> part_;
  error_code refused_;
  bool done_ = false;
};

class OwnedConversation final : public HttpCall {
 public:
  explicit OwnedConversation(std::shared_ptr<Conversation> conversation) : conversation_(std::move(conversation)) {}
  ~OwnedConversation() override { conversation_->abandon(); }

 private:
  std::shared_ptr<Conversation> conversation_;
};

}  // namespace

std::string Endpoint::text() const {
  return unix_path.empty() ? fmt::format("{}:{}", host, port) : unix_path;
}

std::unique_ptr<HttpCall> http_call(asio::io_context& context, const Endpoint& endpoint, HttpRequest request,
                                    HttpSink sink) {
  auto conversation = std::make_shared<Conversation>(context, endpoint, std::move(request), std::move(sink));
  conversation->start();
  return std::make_unique<OwnedConversation>(std::move(conversation));
}

}  // namespace tiphys::server

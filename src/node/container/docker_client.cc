#include "node/container/docker_client.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/file_posix.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/file_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "base/unique_fd.h"
#include "doc/value.h"

// g++ 12 takes asio's own allocation of coroutine frames for a mismatch.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace tiphys::node {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Protocol = asio::local::stream_protocol;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMostBody = 64u << 20;
constexpr std::size_t kMostErrorBody = 64u << 10;
constexpr std::size_t kPieceBytes = 64u << 10;
constexpr std::uint32_t kMostHeadBytes = 256u << 10;

/// One connection, closed by its owner, its timer or its control.
struct Connection {
  explicit Connection(const asio::any_io_executor& executor) : socket(executor), timer(executor) {}
  Protocol::socket socket;
  asio::steady_timer timer;
  boost::beast::flat_buffer buffer;
  bool late = false;

  void close() {
    boost::system::error_code ignored;
    socket.close(ignored);
  }
};

Code code_of_status(unsigned status) {
  switch (status) {
    case 400:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kAlreadyExists;
    case 501:
      return Code::kUnimplemented;
    default:
      return Code::kInternal;
  }
}

/// dockerd says {"message"}, podman also {"cause", "response"}, of which message is the longest.
Error error_of_reply(unsigned status, const std::string& body) {
  std::string message;
  if (const auto document = doc::parse_json(body)) message = doc::find_string(*document, "message");
  if (message.empty()) message = body.substr(0, 400);
  if (message.empty()) message = fmt::format("status {}", status);
  return {code_of_status(status), message};
}

/// The states of one exchange; its coroutine owns it.
class Exchange {
 public:
  Exchange(const asio::any_io_executor& executor, const std::string& path, const EngineRequest& request,
           std::shared_ptr<EngineCall> control)
      : path_(path),
        request_(request),
        control_(std::move(control)),
        connection_(std::make_shared<Connection>(executor)) {}

  std::shared_ptr<Connection> connection() const { return connection_; }

  Async<Status> send() {
    if (control_ && control_->cancelled()) co_return std::unexpected(lost({}));
    if (request_.patience > Duration{0}) {
      connection_->timer.expires_after(std::chrono::duration_cast<std::chrono::milliseconds>(request_.patience));
      connection_->timer.async_wait([connection = connection_](boost::system::error_code error) {
        if (error) return;
        connection->late = true;
        connection->close();
      });
    }
    boost::system::error_code error;
    connection_->socket.open(Protocol(), error);
    if (error) co_return std::unexpected(lost(error));
    close_on_exec(connection_->socket.native_handle());
    error = std::get<0>(co_await connection_->socket.async_connect(Protocol::endpoint(path_), kAwait));
    if (error) co_return std::unexpected(lost(error));
    if (request_.body_file.empty()) {
      http::request<http::string_body> message;
      describe(message);
      message.body() = request_.body;
      if (!request_.body.empty()) message.set(http::field::content_type, "application/json");
      message.prepare_payload();
      error = std::get<0>(co_await http::async_write(connection_->socket, message, kAwait));
    } else {
      http::request<http::basic_file_body<boost::beast::file_posix>> message;
      describe(message);
      message.set(http::field::content_type, "application/x-tar");
      message.body().open(request_.body_file.c_str(), boost::beast::file_mode::scan, error);
      if (error) co_return fail(Code::kInternal, request_.body_file + ": " + error.message());
      message.prepare_payload();
      error = std::get<0>(co_await http::async_write(connection_->socket, message, kAwait));
    }
    // An engine may answer and close before it has read the whole body; the answer tells why.
    if (error && error != boost::system::errc::broken_pipe && error != boost::system::errc::connection_reset) {
      co_return std::unexpected(lost(error));
    }
    co_return Status{};
  }

  Error lost(boost::system::error_code error) const {
    if (control_ && control_->cancelled()) return {Code::kCancelled, "the call was ended"};
    if (connection_->late) {
      return {Code::kUnavailable, fmt::format("the container engine at {} did not answer {} {} in time", path_,
                                              request_.method, request_.target)};
    }
    return {Code::kUnavailable, fmt::format("the container engine at {} does not answer: {}", path_, error.message())};
  }

 private:
  void describe(auto& message) const {
    message.method_string(request_.method);
    message.target(request_.target);
    message.version(11);
    message.set(http::field::host, "engine");
    message.set(http::field::user_agent, "tiphys");
    message.set(http::field::connection, request_.hijacks ? "Upgrade" : "close");
    if (request_.hijacks) message.set(http::field::upgrade, "tcp");
  }

  const std::string& path_;
  const EngineRequest& request_;
  std::shared_ptr<EngineCall> control_;
  std::shared_ptr<Connection> connection_;
};

EngineReply head_of(const http::response<http::buffer_body>& message) {
  EngineReply reply;
  reply.status = message.result_int();
  if (const auto version = message.find("Libpod-Api-Version"); version != message.end()) {
    reply.libpod_version = std::string(version->value());
  }
  if (const auto stat = message.find("X-Docker-Container-Path-Stat"); stat != message.end()) {
    reply.path_stat = std::string(stat->value());
  }
  return reply;
}

/// Closes a call's connection whichever way its coroutine ends.
struct Closing {
  std::shared_ptr<Connection> connection;
  ~Closing() {
    connection->timer.cancel();
    connection->close();
  }
};

}  // namespace

Async<Result<EngineReply>> DockerClient::stream(EngineRequest request, Sink sink, std::shared_ptr<EngineCall> control,
                                                std::function<void(const EngineReply&)> head) const {
  Exchange exchange(co_await asio::this_coro::executor, socket_, request, control);
  const auto connection = exchange.connection();
  const Closing closing{connection};
  if (control) {
    control->close_ = [weak = std::weak_ptr<Connection>(connection)] {
      if (const auto alive = weak.lock()) alive->close();
    };
  }
  if (const Status sent = co_await exchange.send(); !sent) co_return std::unexpected(sent.error());
  http::response_parser<http::buffer_body> parser;
  parser.header_limit(kMostHeadBytes);
  parser.body_limit(boost::none);
  if (request.method == "HEAD") parser.skip(true);
  const auto [head_error, head_bytes] =
      co_await http::async_read_header(connection->socket, connection->buffer, parser, kAwait);
  if (head_error) co_return std::unexpected(exchange.lost(head_error));
  connection->timer.cancel();
  EngineReply reply = head_of(parser.get());
  const bool bad = reply.status < 200 || reply.status >= 400;
  if (!bad && head) head(reply);
  std::vector<char> piece(kPieceBytes);
  std::string error_body;
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    // One read at a time: what has come is handed on at once, however little it is.
    const auto [error, bytes] = co_await http::async_read_some(connection->socket, connection->buffer, parser, kAwait);
    const std::string_view got(piece.data(), piece.size() - parser.get().body().size);
    if (bad) {
      error_body.append(got.substr(0, kMostErrorBody - std::min(kMostErrorBody, error_body.size())));
    } else if (!got.empty()) {
      if (Status taken = sink(got); !taken) co_return std::unexpected(taken.error());
    }
    if (control && control->cancelled()) co_return std::unexpected(exchange.lost({}));
    if (error && error != http::error::need_buffer) co_return std::unexpected(exchange.lost(error));
  }
  if (bad) co_return std::unexpected(error_of_reply(reply.status, error_body));
  co_return reply;
}

Async<Result<EngineReply>> DockerClient::call(EngineRequest request, std::shared_ptr<EngineCall> control) const {
  std::string body;
  Sink gather = [&body](std::string_view piece) -> Status {
    if (body.size() + piece.size() > kMostBody) {
      return fail(Code::kResourceExhausted, "the container engine's answer is too long");
    }
    body.append(piece);
    return {};
  };
  Result<EngineReply> reply = co_await stream(std::move(request), std::move(gather), std::move(control));
  if (reply) reply->body = std::move(body);
  co_return reply;
}

Async<Result<EngineStream>> DockerClient::hijack(EngineRequest request) const {
  request.hijacks = true;
  Exchange exchange(co_await asio::this_coro::executor, socket_, request, nullptr);
  const auto connection = exchange.connection();
  if (const Status sent = co_await exchange.send(); !sent) co_return std::unexpected(sent.error());
  http::response_parser<http::string_body> parser;
  parser.header_limit(kMostHeadBytes);
  const auto [error, bytes] = co_await http::async_read_header(connection->socket, connection->buffer, parser, kAwait);
  if (error) co_return std::unexpected(exchange.lost(error));
  connection->timer.cancel();
  const unsigned status = parser.get().result_int();
  if (status != 101 && status != 200) {
    co_await http::async_read(connection->socket, connection->buffer, parser, kAwait);
    connection->close();
    co_return std::unexpected(error_of_reply(status, parser.get().body()));
  }
  co_return EngineStream{std::move(connection->socket), boost::beast::buffers_to_string(connection->buffer.data())};
}

}  // namespace tiphys::node

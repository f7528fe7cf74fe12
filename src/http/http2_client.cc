#include "http/http2_client.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <cstring>

#include "http/http2_connection.h"
#include "http/tls.h"

namespace tiphys::http {
namespace {

namespace asio = boost::asio;

/// Of connections of HTTP/1.1 alone (RFC 9113 8.2.2), or told otherwise.
constexpr std::string_view kNotSent[] = {"connection",        "host",   "keep-alive", "proxy-connection",
                                         "transfer-encoding", "upgrade"};

std::string lower(std::string_view name) {
  std::string out(name);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool is_field(const std::string& name, const std::string& value) {
  const auto bytes = [](const std::string& of) { return reinterpret_cast<const std::uint8_t*>(of.data()); };
  return nghttp2_check_header_name(bytes(name), name.size()) != 0 &&
         nghttp2_check_header_value(bytes(value), value.size()) != 0;
}

}  // namespace

/// The connection of a client.
class Http2Pool {
 public:
  Http2Pool(asio::io_context& context, Endpoint endpoint, ClientLimits limits)
      : context_(context), endpoint_(std::move(endpoint)), limits_(limits) {}
  ~Http2Pool() {
    if (connection_) connection_->close();
  }
  Http2Pool(const Http2Pool&) = delete;

  /// One that takes a request.
  const std::shared_ptr<Http2Connection>& connection() {
    if (connection_ && connection_->usable()) return connection_;
    connection_ = std::make_shared<Http2Connection>(context_, endpoint_, limits_.connect_timeout);
    connection_->open();
    return connection_;
  }
  asio::io_context& context() { return context_; }
  const Endpoint& endpoint() const { return endpoint_; }
  const ClientLimits& limits() const { return limits_; }

 private:
  asio::io_context& context_;
  const Endpoint endpoint_;
  const ClientLimits limits_;
  std::shared_ptr<Http2Connection> connection_;
};

Http2Stream::Http2Stream(std::shared_ptr<Http2Pool> pool, Request request, Http2Sink sink)
    : pool_(std::move(pool)), request_(std::move(request)), sink_(std::move(sink)) {}

void Http2Stream::start() {
  const auto fields = head();
  if (!fields) {
    return asio::post(pool_->context(),
                      [self = shared_from_this(), error = fields.error()] { self->end(std::unexpected(error)); });
  }
  connection_ = pool_->connection();
  id_ = connection_->begin(shared_from_this(), *fields);
  watch();
}

/// As the library wants it.
Result<Fields> Http2Stream::head() const {
  const Endpoint& endpoint = pool_->endpoint();
  Fields fields{{":method", request_.method},
                {":scheme", endpoint.tls ? "https" : "http"},
                {":authority", endpoint.unix_path.empty() ? endpoint.text() : "localhost"},
                {":path", request_.target},
                {"user-agent", "tiphys"}};
  if (!request_.content_type.empty()) fields.emplace_back("content-type", request_.content_type);
  if (!endpoint.token.empty()) fields.emplace_back("authorization", "Bearer " + endpoint.token);
  for (const auto& [given, value] : request_.headers) {
    const std::string name = lower(given);
    if (std::ranges::find(kNotSent, name) != std::end(kNotSent)) continue;
    if (!is_field(name, value)) {
      return fail(Code::kInvalidArgument, fmt::format("\"{}: {}\" is no header that can be sent", given, value));
    }
    fields.emplace_back(name, value);
  }
  return fields;
}

void Http2Stream::add_field(std::string_view name, std::string_view value) {
  if (has_head_) {
    trailers_.emplace_back(name, value);
  } else if (name == ":status") {
    std::from_chars(value.data(), value.data() + value.size(), code_);
  } else {
    fields_.emplace_back(name, value);
  }
}

void Http2Stream::end_fields() {
  has_head_ = has_head_ || code_ >= 200;
  if (!has_head_) fields_.clear();  // of what only goes before an answer
}

void Http2Stream::close(std::uint32_t error) {
  closed_ = error;
}

std::size_t Http2Stream::take(std::uint8_t* into, std::size_t most, bool& last) {
  const std::size_t size = std::min(most, request_.body.size() - sent_);
  std::memcpy(into, request_.body.data() + sent_, size);
  sent_ += size;
  last = sent_ == request_.body.size();
  return size;
}

/// Breaks it off when the server is silent for too long.
void Http2Stream::watch() {
  const std::chrono::seconds patience = request_.endless ? request_.longest : pool_->limits().answer_timeout;
  if (patience == std::chrono::seconds::zero()) return;
  heard_ = false;
  if (!timer_) timer_.emplace(pool_->context());
  timer_->expires_after(patience);
  timer_->async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled) self->expire();
  });
}

void Http2Stream::expire() {
  if (done_) return;
  if (heard_ && !request_.endless) return watch();
  connection_->cancel(id_);
  end(fail(Code::kDeadlineExceeded, fmt::format("{} does not answer in time", pool_->endpoint().text())));
}

void Http2Stream::deliver() {
  heard_ = true;
  const auto self = shared_from_this();
  if (!done_ && has_head_ && !std::exchange(told_head_, true) && sink_.on_head) sink_.on_head(code_, fields_);
  if (!done_ && !body_.empty()) {
    const std::string part = std::exchange(body_, {});
    if (sink_.on_body) sink_.on_body(part);
  }
  if (!done_ && closed_) finish();
}

void Http2Stream::finish() {
  if (ended_) return end(std::move(trailers_));
  if (*closed_ == NGHTTP2_REFUSED_STREAM && !has_head_ && !std::exchange(retried_, true)) {
    closed_.reset();
    sent_ = 0;
    return start();
  }
  end(fail(Code::kUnavailable,
           fmt::format("{} broke the answer off: {}", pool_->endpoint().text(), nghttp2_http2_strerror(*closed_))));
}

void Http2Stream::lose(const Error& error) {
  const auto self = shared_from_this();
  deliver();
  if (done_) return;
  ended_ ? end(std::move(trailers_)) : end(std::unexpected(error));
}

void Http2Stream::abandon() {
  if (std::exchange(done_, true)) return;
  timer_.reset();
  if (connection_) connection_->cancel(id_);
  connection_.reset();
  pool_.reset();
}

void Http2Stream::end(Result<Fields> trailers) {
  if (std::exchange(done_, true)) return;
  timer_.reset();
  connection_.reset();
  const auto held = std::exchange(pool_, nullptr);
  if (sink_.on_end) sink_.on_end(std::move(trailers));
}

namespace {

class OwnedStream final : public Call {
 public:
  explicit OwnedStream(std::shared_ptr<Http2Stream> stream) : stream_(std::move(stream)) {}
  ~OwnedStream() override { stream_->abandon(); }

 private:
  std::shared_ptr<Http2Stream> stream_;
};

}  // namespace

Http2Client::Http2Client(asio::io_context& context, Endpoint endpoint, ClientLimits limits)
    : pool_(std::make_shared<Http2Pool>(context, std::move(endpoint), limits)) {}

std::unique_ptr<Call> Http2Client::call(Request request, Http2Sink sink) {
  auto stream = std::make_shared<Http2Stream>(pool_, std::move(request), std::move(sink));
  stream->start();
  return std::make_unique<OwnedStream>(std::move(stream));
}

const Endpoint& Http2Client::endpoint() const {
  return pool_->endpoint();
}

}  // namespace tiphys::http

#include "http/http2_connection.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "base/check.h"

namespace tiphys::http {
namespace {

namespace asio = boost::asio;

/// What a server may send that nobody has told it to go on with.
constexpr std::int32_t kWindowBytes = 1024 * 1024;
/// What is made ready at once of what is to be sent.
constexpr std::size_t kMostUnsent = 256 * 1024;

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

nghttp2_nv field(const std::string& name, const std::string& value) {
  const auto bytes = [](const std::string& of) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(of.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

/// What the library calls. None of it calls the library.
struct Http2Events {
  static nghttp2_session_callbacks* make() {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_header_callback(made, add_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, add_body);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, end_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, close);
    return made;
  }

  /// Null when nobody waits for it any more.
  static std::shared_ptr<Http2Stream> find(void* user, std::int32_t id) {
    const auto& streams = static_cast<Http2Connection*>(user)->streams_;
    const auto found = streams.find(id);
    return found == streams.end() ? nullptr : found->second;
  }

  static std::shared_ptr<Http2Stream> touch(void* user, std::int32_t id) {
    auto stream = find(user, id);
    if (stream) static_cast<Http2Connection*>(user)->touched_.push_back(stream);
    return stream;
  }

  static int add_field(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    const auto stream = find(user, frame->hd.stream_id);
    if (stream) stream->add_field(text(name, name_size), text(value, value_size));
    return 0;
  }

  static int add_body(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
                      void* user) {
    if (const auto stream = touch(user, id)) stream->add_body(text(bytes, size));
    return 0;
  }

  static int end_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) static_cast<Http2Connection*>(user)->going_away_ = true;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    const auto stream = touch(user, frame->hd.stream_id);
    if (!stream) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) stream->end_fields();
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) stream->end_answer();
    return 0;
  }

  static int close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    if (const auto stream = touch(user, id)) stream->close(error);
    static_cast<Http2Connection*>(user)->streams_.erase(id);
    return 0;
  }

  static ssize_t read_body(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t most,
                           std::uint32_t* flags, nghttp2_data_source*, void* user) {
    const auto stream = find(user, id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    bool last = false;
    const std::size_t size = stream->take(into, most, last);
    if (last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }
};

Http2Connection::Http2Connection(asio::io_context& context, const Endpoint& endpoint,
                                 std::chrono::seconds connect_timeout)
    : connection_(std::make_shared<Connection>(context, endpoint, Protocol::kHttp2)),
      connect_timeout_(connect_timeout) {
  nghttp2_session_callbacks* events = Http2Events::make();
  TIPHYS_CHECK(nghttp2_session_client_new(&session_, events, this) == 0, "there is memory");
  nghttp2_session_callbacks_del(events);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                             {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindowBytes);
}

Http2Connection::~Http2Connection() {
  nghttp2_session_del(session_);
}

void Http2Connection::open() {
  connection_->open(connect_timeout_, [self = shared_from_this()](const Status& status) { self->opened(status); });
}

void Http2Connection::opened(const Status& status) {
  if (closed_) return;
  if (!status) return lose(status.error());
  connection_->lowest().expires_never();
  ready_ = true;
  const auto early = connection_->buffer().cdata();  // behind a proxy's answer
  const std::string begun(static_cast<const char*>(early.data()), early.size());
  connection_->buffer().consume(begun.size());
  if (!begun.empty()) receive(begun);
  pump();
  read();
}

void Http2Connection::close() {
  closed_ = true;
  connection_->close();
}

bool Http2Connection::usable() const {
  return !closed_ && !going_away_ && nghttp2_session_check_request_allowed(session_) != 0;
}

std::int32_t Http2Connection::begin(const std::shared_ptr<Http2Stream>& stream, const Fields& head) {
  std::vector<nghttp2_nv> fields;
  for (const auto& [name, value] : head) fields.push_back(field(name, value));
  const nghttp2_data_provider body{.source = {}, .read_callback = Http2Events::read_body};
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                                 stream->has_body() ? &body : nullptr, nullptr);
  TIPHYS_CHECK(id > 0, "a usable connection takes a request");
  streams_.emplace(id, stream);
  pump();
  return id;
}

void Http2Connection::cancel(std::int32_t id) {
  if (streams_.erase(id) == 0 || closed_) return;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  pump();
}

void Http2Connection::read() {
  if (closed_) return;
  connection_->with_stream([this](auto& stream) {
    stream.async_read_some(asio::buffer(incoming_), [self = shared_from_this()](error_code error, std::size_t count) {
      if (self->closed_) return;
      if (error) return self->lose(self->greeted_ ? self->lost(error.message()) : self->unanswered());
      self->receive({self->incoming_.data(), count});
      self->pump();
      self->read();
    });
  });
}

void Http2Connection::receive(std::string_view bytes) {
  // A frame begins with its length, of which no server may use the first byte before it is told that it may.
  if (!std::exchange(greeted_, true) && bytes.front() != 0) {
    constexpr char kTlsAlert = 0x15;
    return lose({Code::kUnimplemented, fmt::format("{} speaks no HTTP/2{}", connection_->endpoint().text(),
                                                   bytes.front() == kTlsAlert ? " in plain text, but TLS" : "")});
  }
  const auto read =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  deliver();
  if (read < 0) lose(lost(nghttp2_strerror(static_cast<int>(read))));
}

void Http2Connection::deliver() {
  for (const auto& stream : std::exchange(touched_, {})) stream->deliver();
}

void Http2Connection::pump() {
  if (!ready_ || closed_ || writing_) return;
  outgoing_.clear();
  while (outgoing_.size() < kMostUnsent) {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) return post_loss(nghttp2_strerror(static_cast<int>(size)));
    if (size == 0) break;
    outgoing_ += text(bytes, static_cast<std::size_t>(size));
  }
  if (!touched_.empty()) {
    asio::post(connection_->lowest().get_executor(), [self = shared_from_this()] { self->deliver(); });
  }
  if (outgoing_.empty()) {
    if (going_away_ && streams_.empty()) return close();
    if (!nghttp2_session_want_read(session_)) post_loss("it does not keep to HTTP/2");
    return;
  }
  writing_ = true;
  connection_->with_stream([this](auto& stream) {
    asio::async_write(stream, asio::buffer(outgoing_), [self = shared_from_this()](error_code error, std::size_t) {
      // Who sends no more may have said why: that is read to its end.
      if (error || self->closed_) return;
      self->writing_ = false;
      self->pump();
    });
  });
}

void Http2Connection::lose(const Error& error) {
  if (closed_) return;
  close();
  touched_.clear();
  for (const auto& [id, stream] : std::exchange(streams_, {})) stream->lose(error);
}

void Http2Connection::post_loss(std::string_view why) {
  asio::post(connection_->lowest().get_executor(),
             [self = shared_from_this(), error = lost(why)] { self->lose(error); });
}

/// As servers do that do not understand what they are told.
Error Http2Connection::unanswered() const {
  const Endpoint& endpoint = connection_->endpoint();
  return {Code::kUnavailable, fmt::format("{} closes the connection before it says anything: perhaps it speaks {}",
                                          endpoint.text(), endpoint.tls ? "no HTTP/2" : "TLS, or no HTTP/2")};
}

Error Http2Connection::lost(std::string_view why) const {
  return {Code::kUnavailable, fmt::format("the connection to {} was lost: {}", connection_->endpoint().text(), why)};
}

}  // namespace tiphys::http

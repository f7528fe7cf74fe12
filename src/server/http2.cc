#include "server/http2.h"

#include <nghttp2/nghttp2.h>

#include "base/check.h"
#include "base/log.h"
#include "server/http2_stream.h"

namespace tiphys::server {
namespace {

constexpr Duration kIdleTimeout = std::chrono::minutes(3);
constexpr Duration kStallTimeout = std::chrono::seconds(120);
/// With so much not taken yet the library is not asked for more.
constexpr std::size_t kMostUnsent = 1024 * 1024;
constexpr std::int32_t kWindowBytes = 1024 * 1024;

}  // namespace

/// What the library calls. None of it may call the library's receive or send: pump() is put off meanwhile.
class Http2Callbacks {
 public:
  static nghttp2_session_callbacks* make() {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, add_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, add_body);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, end_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, close);
    return made;
  }

 private:
  static std::shared_ptr<Http2::Stream> find(void* user, std::int32_t id) {
    const auto& streams = static_cast<Http2*>(user)->streams_;
    const auto found = streams.find(id);
    return found == streams.end() ? nullptr : found->second;
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    auto& connection = *static_cast<Http2*>(user);
    connection.streams_.emplace(frame->hd.stream_id, std::make_shared<Http2::Stream>(connection, frame->hd.stream_id));
    return 0;
  }

  static int add_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                        const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    const auto stream = find(user, frame->hd.stream_id);
    if (stream) stream->add_header(http2_text(name, name_size), http2_text(value, value_size));
    return 0;
  }

  static int add_body(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
                      void* user) {
    const auto stream = find(user, id);
    if (stream) stream->add_body(http2_text(bytes, size));
    return 0;
  }

  static int end_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    const auto stream = find(user, frame->hd.stream_id);
    if (!stream || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) stream->end_headers();
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) stream->end_body(stream);
    return 0;
  }

  static int close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    auto& connection = *static_cast<Http2*>(user);
    const auto stream = find(user, id);
    if (!stream) return 0;
    connection.executor_.post([source = stream->leave()] {});
    connection.streams_.erase(id);
    return 0;
  }
};

Http2::Http2(const Entrance& entrance, std::string peer)
    : entrance_(entrance), peer_(std::move(peer)), executor_(entrance.served.executor) {
  nghttp2_session_callbacks* callbacks = Http2Callbacks::make();
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  nghttp2_option_set_max_reserved_remote_streams(options, 0);
  TIPHYS_CHECK(nghttp2_session_server_new2(&session_, callbacks, this, options) == 0, "there is memory");
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
}

Http2::~Http2() {
  *alive_ = false;
  busy_ = true;  // nothing is sent any more
  cancel(idle_);
  cancel(stalled_);
  for (auto& [id, stream] : std::exchange(streams_, {})) stream->leave();
  nghttp2_session_del(session_);
}

void Http2::begin(Wire& wire) {
  wire_ = &wire;
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMostHttp2Streams},
                                             {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMostHeaderBytes},
                                             {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindowBytes);
  pump();
}

void Http2::receive(std::string_view bytes) {
  if (closed_) return;
  busy_ = true;
  const auto read =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  busy_ = false;
  if (read < 0) return fail(nghttp2_strerror(static_cast<int>(read)));
  pump();
}

void Http2::sent_all() {
  cancel(stalled_);
  pump();
}

void Http2::pump() {
  again_ = true;
  if (busy_ || closed_) return;
  busy_ = true;
  while (std::exchange(again_, false)) {
    std::string out;
    while (wire_->unsent() + out.size() < kMostUnsent) {
      const std::uint8_t* bytes = nullptr;
      const auto size = nghttp2_session_mem_send(session_, &bytes);
      if (size < 0) return fail(nghttp2_strerror(static_cast<int>(size)));
      if (size == 0) break;
      out += http2_text(bytes, static_cast<std::size_t>(size));
    }
    if (!out.empty()) wire_->send(std::move(out));
    // Their sources may write now, which comes back to here.
    for (const std::int32_t id : std::exchange(drained_, {})) {
      if (const auto found = streams_.find(id); found != streams_.end()) found->second->go_on();
    }
  }
  busy_ = false;
  if (!nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_)) {
    closed_ = true;
    return wire_->close(false);
  }
  watch_idle();
  watch_stall();
}

void Http2::fail(std::string_view what) {
  if (std::exchange(closed_, true)) return;
  log::debug("an HTTP/2 connection ends: {}", what);
  wire_->close(false);
}

void Http2::cancel(Executor::TimerId& timer) {
  if (timer != 0) executor_.cancel(std::exchange(timer, 0));
}

/// A client that asks for nothing is let go.
void Http2::watch_idle() {
  if (!streams_.empty()) return cancel(idle_);
  if (idle_ != 0) return;
  idle_ = executor_.schedule(executor_.now() + kIdleTimeout, [this, alive = alive_] {
    if (!*alive) return;
    idle_ = 0;
    nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
    pump();
  });
}

void Http2::watch_stall() {
  if (wire_->unsent() == 0 || stalled_ != 0) return;
  stalled_ = executor_.schedule(executor_.now() + kStallTimeout, [this, alive = alive_] {
    if (*alive) fail("its client takes nothing");
  });
}

}  // namespace tiphys::server

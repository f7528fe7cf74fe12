#include "server/http2.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "cluster/api_status.h"
#include "server/exchange.h"

namespace tiphys::server {
namespace {

constexpr Duration kIdleTimeout = std::chrono::minutes(3);
constexpr Duration kStallTimeout = std::chrono::seconds(120);
/// With so much not taken yet the library is not asked for more.
constexpr std::size_t kMostUnsent = 1024 * 1024;
constexpr std::int32_t kWindowBytes = 1024 * 1024;
/// Of all bodies that a connection's requests are still bringing.
constexpr std::size_t kMostBodiesBytes = 2 * kMostBodyBytes;

nghttp2_nv header(std::string_view name, std::string_view value) {
  // The library copies both.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

/// One request and its answer. The routes may keep it longer than the connection does.
class Http2::Stream final : public Responder {
 public:
  Stream(Http2& connection, std::int32_t id) : connection_(&connection), id_(id) { request_.peer = connection.peer_; }

  /// False: the header is too large.
  bool add_header(std::string_view name, std::string_view value) {
    header_bytes_ += name.size() + value.size();
    if (header_bytes_ > kMostHeaderBytes) return false;
    const struct {
      std::string_view name;
      std::string& value;
    } kept[] = {{":method", request_.method},
                {":path", request_.target},
                {":authority", host_},
                {"host", host_},
                {"origin", origin_},
                {"authorization", authorization_},
                {"content-type", request_.content_type},
                {"accept", request_.accept},
                {"user-agent", request_.user_agent},
                {"impersonate-user", request_.impersonation.user},
                {"impersonate-uid", request_.impersonation.uid}};
    for (const auto& [known, member] : kept) {
      if (name == known) member = value;
    }
    if (name == "impersonate-group") request_.impersonation.groups.emplace_back(value);
    return true;
  }

  void end_headers() {
    auto caller =
        let_in(connection_->entrance_, request_, {.host = host_, .origin = origin_, .authorization = authorization_});
    if (caller) {
      request_.caller = std::move(*caller);
    } else {
      refuse(caller.error());
    }
  }

  /// False: too much of it.
  bool add_body(std::string_view piece) {
    if (answered_) return true;  // refused: what comes is dropped
    request_.body += piece;
    connection_->body_bytes_ += piece.size();
    if (request_.body.size() <= kMostBodyBytes && connection_->body_bytes_ <= kMostBodiesBytes) return true;
    forget_body();
    return false;
  }

  void end_body(const std::shared_ptr<Stream>& self) {
    connection_->body_bytes_ -= request_.body.size();
    if (answered_) return;
    request_.at = system_now();
    handle(connection_->entrance_.served, std::move(request_), self);
  }

  void refuse(const objects::Refusal& refusal) {
    reply(refusal.code, kJson, cluster::status_json(refusal.code, refusal.reason, refusal.message), {});
  }

  /// The connection has no such stream any more. Gives what fed it: that may be in the midst of telling us something.
  std::unique_ptr<cluster::Watch> leave() {
    forget_body();
    connection_ = nullptr;
    return std::move(source_);
  }

  /// What goes into one frame; sets whether it is the last.
  std::size_t take(std::uint8_t* into, std::size_t most, bool& last) {
    const std::size_t size = std::min(most, pending_.size() - taken_);
    std::memcpy(into, pending_.data() + taken_, size);
    taken_ += size;
    if (taken_ == pending_.size() || taken_ > kPauseBytes) {
      pending_.erase(0, taken_);
      taken_ = 0;
    }
    if (paused_ && pending_.empty()) connection_->drained_.push_back(id_);
    last = ended_ && pending_.empty();
    return size;
  }
  bool has_nothing() const { return pending_.empty() && !ended_; }

  void go_on() {
    if (source_ && std::exchange(paused_, false)) source_->pause(false);
  }

  // Responder
  void reply(unsigned code, std::string_view content_type, std::string body,
             std::vector<std::string> warnings) override {
    if (!connection_ || std::exchange(answered_, true)) return;
    pending_ = std::move(body);
    ended_ = true;
    begin_answer(code, content_type, warnings, std::to_string(pending_.size()));
  }

  void begin_stream(std::string_view content_type) override {
    if (!connection_ || std::exchange(answered_, true)) return;
    begin_answer(200, content_type, {}, "");
  }

  void write(std::string chunk) override {
    if (!connection_ || ended_ || chunk.empty()) return;
    if (lag_bounded_ && pending_.size() - taken_ > kMostLagBytes) {
      log::warn("a reader of a stream is cut: it lags behind by more than {} MiB", kMostLagBytes >> 20);
      return cut(NGHTTP2_ENHANCE_YOUR_CALM);
    }
    pending_ += chunk;
    resume();
    if (pending_.size() > kPauseBytes && source_ && !std::exchange(paused_, true)) source_->pause(true);
  }

  void bound_lag() override { lag_bounded_ = true; }

  void end_stream() override {
    if (!connection_ || std::exchange(ended_, true)) return;
    resume();
  }

  /// RFC 9113 8.6: there is no upgrade; clients that want one speak HTTP/1.1.
  void upgrade(std::string, std::unique_ptr<Speaker>) override {
    refuse(objects::bad_request("HTTP/2 has no upgrades: use HTTP/1.1"));
  }

  void hold(std::unique_ptr<cluster::Watch> source) override {
    source_ = std::move(source);
    if (!connection_) source_.reset();
  }

  void cut(std::uint32_t code) {
    ended_ = true;
    nghttp2_submit_rst_stream(connection_->session_, NGHTTP2_FLAG_NONE, id_, code);
    connection_->pump();
  }

 private:
  void forget_body() {
    connection_->body_bytes_ -= request_.body.size();
    request_.body.clear();
  }

  void begin_answer(unsigned code, std::string_view content_type, const std::vector<std::string>& warnings,
                    const std::string& length) {
    const std::string status = std::to_string(code);
    std::vector<std::string> warned;
    for (const std::string& warning : warnings) warned.push_back(warning_header(warning));
    std::vector<nghttp2_nv> headers{header(":status", status), header("content-type", content_type),
                                    header("cache-control", "no-cache, private")};
    if (!length.empty()) headers.push_back(header("content-length", length));
    for (const std::string& warning : warned) headers.push_back(header("warning", warning));
    const nghttp2_data_provider body{.source = {.ptr = this}, .read_callback = read_body};
    nghttp2_submit_response(connection_->session_, id_, headers.data(), headers.size(), &body);
    connection_->pump();
  }

  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t most, std::uint32_t* flags,
                           nghttp2_data_source* source, void*) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    if (stream.has_nothing()) return NGHTTP2_ERR_DEFERRED;
    bool last = false;
    const std::size_t size = stream.take(into, most, last);
    if (last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

  void resume() {
    nghttp2_session_resume_data(connection_->session_, id_);
    connection_->pump();
  }

  Http2* connection_;  ///< null: it is gone, or this stream of it
  const std::int32_t id_;
  Request request_;
  std::string host_, origin_, authorization_;
  std::size_t header_bytes_ = 0;
  std::string pending_;
  std::size_t taken_ = 0;
  std::unique_ptr<cluster::Watch> source_;
  bool answered_ = false;  ///< its answer has begun
  bool ended_ = false;     ///< nothing will be added to its answer
  bool lag_bounded_ = false;
  bool paused_ = false;
};

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
    const bool fits = !stream || stream->add_header(text(name, name_size), text(value, value_size));
    return fits ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int add_body(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
                      void* user) {
    const auto stream = find(user, id);
    if (!stream || stream->add_body(text(bytes, size))) return 0;
    stream->refuse({413, "RequestEntityTooLarge", fmt::format("the body is larger than {} MiB", kMostBodyBytes >> 20)});
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
      out += text(bytes, static_cast<std::size_t>(size));
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

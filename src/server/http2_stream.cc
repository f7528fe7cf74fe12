#include "server/http2_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "server/refusals.h"

namespace tiphys::server {
namespace {

/// Of all bodies that a connection's requests are still bringing.
constexpr std::size_t kMostBodiesBytes = 2 * kMostBodyBytes;

/// Fields as the library takes them; it copies them.
class FieldList {
 public:
  void add(std::string_view name, std::string_view value) {
    std::string small(name);
    std::ranges::transform(small, small.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    fields_.emplace_back(std::move(small), value);
  }
  void add(const HeaderFields& fields) {
    for (const auto& [name, value] : fields) add(name, value);
  }
  std::vector<nghttp2_nv> list() {
    std::vector<nghttp2_nv> made;
    for (auto& [name, value] : fields_) {
      made.push_back({reinterpret_cast<std::uint8_t*>(name.data()), reinterpret_cast<std::uint8_t*>(value.data()),
                      name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return made;
  }

 private:
  HeaderFields fields_;
};

}  // namespace

Http2::Stream::Stream(Http2& connection, std::int32_t id) : connection_(&connection), id_(id) {
  request_.peer = connection.peer_;
}

void Http2::Stream::add_header(std::string_view name, std::string_view value) {
  header_bytes_ += name.size() + value.size();
  if (header_bytes_ > kMostHeaderBytes) return;  // end_headers() refuses it
  const struct {
    std::string_view name;
    std::string& value;
  } kept[] = {{":method", request_.method},
              {":path", request_.target},
              {":authority", request_.host},
              {"host", request_.host},
              {"origin", origin_},
              {"authorization", authorization_},
              {"sec-fetch-site", fetch_site_},
              {"content-type", request_.content_type},
              {"accept", request_.accept},
              {"user-agent", request_.user_agent},
              {"grpc-timeout", grpc_timeout_},
              {"grpc-encoding", grpc_encoding_},
              {"impersonate-user", request_.impersonation.user},
              {"impersonate-uid", request_.impersonation.uid}};
  for (const auto& [known, member] : kept) {
    if (name == known) member = value;
  }
  if (name == "cookie") request_.cookie += (request_.cookie.empty() ? "" : "; ") + std::string(value);
  if (name == "impersonate-group") request_.impersonation.groups.emplace_back(value);
  if (name.starts_with("x-")) request_.extra.push_back({std::string(name), std::string(value)});
}

void Http2::Stream::end_headers() {
  is_grpc_ = std::string_view(request_.content_type).starts_with("application/grpc");
  if (is_grpc_) {
    request_.grpc = GrpcHeaders{.timeout = std::move(grpc_timeout_), .encoding = std::move(grpc_encoding_)};
  }
  if (header_bytes_ > kMostHeaderBytes) {
    return refuse(
        {431, "RequestHeaderFieldsTooLarge", fmt::format("the header is larger than {} KiB", kMostHeaderBytes >> 10)});
  }
  auto caller = let_in(connection_->entrance_, request_,
                       {.host = request_.host,
                        .origin = origin_,
                        .authorization = authorization_,
                        .cookie = request_.cookie,
                        .fetch_site = fetch_site_});
  if (caller) {
    request_.caller = std::move(*caller);
  } else {
    refuse(caller.error());
  }
}

void Http2::Stream::add_body(std::string_view piece) {
  if (answered_) return;  // refused: what comes is dropped
  request_.body += piece;
  connection_->body_bytes_ += piece.size();
  const std::size_t most = most_body_bytes(request_.caller.get());
  if (request_.body.size() <= most && connection_->body_bytes_ <= kMostBodiesBytes) return;
  forget_body();
  refuse(too_large_body(most));
}

void Http2::Stream::end_body(const std::shared_ptr<Stream>& self) {
  connection_->body_bytes_ -= request_.body.size();
  if (answered_) return;
  request_.at = system_now();
  handle(connection_->entrance_.served, std::move(request_), self);
}

void Http2::Stream::refuse(const objects::Refusal& refusal) {
  refuse_request(connection_->entrance_.served, request_, refusal, *this);
}

std::unique_ptr<cluster::Watch> Http2::Stream::leave() {
  forget_body();
  connection_ = nullptr;
  return std::move(source_);
}

void Http2::Stream::go_on() {
  if (source_ && std::exchange(paused_, false)) source_->pause(false);
}

void Http2::Stream::reply(AnswerHead head, std::string body) {
  if (!connection_ || std::exchange(answered_, true)) return;
  ended_ = true;
  pending_ = std::move(body);
  // gRPC: an answer that is nothing but headers ends with them.
  const bool has_body = !is_grpc_ || !pending_.empty();
  if (has_body && head.code != 204) head.fields.emplace_back("content-length", std::to_string(pending_.size()));
  begin_answer(head, has_body);
}

void Http2::Stream::begin_stream(AnswerHead head) {
  if (!connection_ || std::exchange(answered_, true)) return;
  begin_answer(head, true);
}

void Http2::Stream::write(std::string chunk) {
  if (!connection_ || ended_ || chunk.empty()) return;
  if (lag_bounded_ && pending_.size() - taken_ > kMostLagBytes) {
    log::warn("a reader of a stream is cut: it lags behind by more than {} MiB", kMostLagBytes >> 20);
    return cut(NGHTTP2_ENHANCE_YOUR_CALM);
  }
  pending_ += chunk;
  resume();
  if (pending_.size() > kPauseBytes && source_ && !std::exchange(paused_, true)) source_->pause(true);
}

void Http2::Stream::end_stream(HeaderFields trailers) {
  if (!connection_ || std::exchange(ended_, true)) return;
  trailers_ = std::move(trailers);
  resume();
}

void Http2::Stream::break_off() {
  if (connection_ && !ended_) cut(NGHTTP2_INTERNAL_ERROR);
}

/// RFC 9113 8.6: there is no upgrade; clients that want one speak HTTP/1.1.
void Http2::Stream::upgrade(std::string, std::unique_ptr<Speaker>) {
  if (connection_) refuse(objects::bad_request("HTTP/2 has no upgrades: use HTTP/1.1"));
}

void Http2::Stream::hold(std::unique_ptr<cluster::Watch> source) {
  source_ = std::move(source);
  if (!connection_) source_.reset();
}

void Http2::Stream::cut(std::uint32_t code) {
  ended_ = true;
  nghttp2_submit_rst_stream(connection_->session_, NGHTTP2_FLAG_NONE, id_, code);
  connection_->pump();
}

void Http2::Stream::forget_body() {
  if (connection_) connection_->body_bytes_ -= request_.body.size();
  request_.body.clear();
}

void Http2::Stream::begin_answer(const AnswerHead& head, bool has_body) {
  FieldList fields;
  fields.add(":status", std::to_string(head.code));
  if (!head.content_type.empty()) fields.add("content-type", head.content_type);
  fields.add("cache-control", "no-cache, private");
  fields.add(head.fields);
  const auto list = fields.list();
  const nghttp2_data_provider body{.source = {.ptr = this}, .read_callback = read_body};
  nghttp2_submit_response(connection_->session_, id_, list.data(), list.size(), has_body ? &body : nullptr);
  connection_->pump();
}

std::size_t Http2::Stream::take(std::uint8_t* into, std::size_t most) {
  const std::size_t size = std::min(most, pending_.size() - taken_);
  std::memcpy(into, pending_.data() + taken_, size);
  taken_ += size;
  // Not at each piece: a large answer would be moved again and again.
  if (taken_ == pending_.size() || (taken_ > kPauseBytes && taken_ > pending_.size() / 2)) {
    pending_.erase(0, taken_);
    taken_ = 0;
  }
  if (paused_ && pending_.empty()) connection_->drained_.push_back(id_);
  return size;
}

ssize_t Http2::Stream::read_body(nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t most,
                                 std::uint32_t* flags, nghttp2_data_source* source, void*) {
  auto& stream = *static_cast<Stream*>(source->ptr);
  if (stream.pending_.empty() && !stream.ended_) return NGHTTP2_ERR_DEFERRED;
  const std::size_t size = stream.take(into, most);
  if (!stream.ended_ || !stream.pending_.empty()) return static_cast<ssize_t>(size);
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (!stream.trailers_.empty()) {
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    stream.submit_trailers();
  }
  return static_cast<ssize_t>(size);
}

void Http2::Stream::submit_trailers() {
  FieldList fields;
  fields.add(trailers_);
  const auto list = fields.list();
  nghttp2_submit_trailer(connection_->session_, id_, list.data(), list.size());
}

void Http2::Stream::resume() {
  nghttp2_session_resume_data(connection_->session_, id_);
  connection_->pump();
}

}  // namespace tiphys::server

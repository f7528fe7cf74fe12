#include "server/session/spdy_streams.h"

#include <utility>

#include "base/log.h"

namespace tiphys::server {

void SpdyStreams::receive(std::string_view bytes) {
  reader_.feed(bytes);
  while (!closing_) {
    auto frame = reader_.next();
    if (!frame) {
      log::debug("a client's SPDY: {}", frame.error().message);
      return finish();
    }
    if (!*frame) return;
    take(std::move(**frame));
  }
}

void SpdyStreams::take(SpdyFrame frame) {
  switch (frame.type) {
    case SpdyFrame::Type::kSynStream:
      return open(frame);
    case SpdyFrame::Type::kData:
      return take_data(std::move(frame));
    case SpdyFrame::Type::kRstStream:
      if (const auto found = streams_.find(frame.stream); found != streams_.end()) found->second->receive_reset();
      return;
    case SpdyFrame::Type::kPing:
      // Odd ones are the client's; others would answer ours, of which there are none.
      if (frame.number % 2 == 1) send(SpdyWriter::ping(frame.number));
      return;
    case SpdyFrame::Type::kHeaders:
      if (const auto found = streams_.find(frame.stream); frame.last && found != streams_.end()) {
        found->second->receive_end();
      }
      return;
    case SpdyFrame::Type::kSynReply:
    case SpdyFrame::Type::kSettings:
    case SpdyFrame::Type::kGoAway:
    case SpdyFrame::Type::kWindowUpdate:
      return;
  }
}

void SpdyStreams::open(const SpdyFrame& frame) {
  const std::uint32_t id = frame.stream;
  if (id % 2 == 0 || id <= newest_) return send(SpdyWriter::reset(id, SpdyReset::kProtocolError));
  newest_ = id;
  if (streams_.size() >= kMostStreams) return send(SpdyWriter::reset(id, SpdyReset::kRefusedStream));
  Carrier& carrier = *this;
  Channel& channel = *streams_.emplace(id, std::make_unique<Channel>(carrier, id)).first->second;
  if (!on_stream(channel, frame.headers)) {
    streams_.erase(id);
    return send(SpdyWriter::reset(id, SpdyReset::kRefusedStream));
  }
  send(writer_.syn_reply(id, {}));
  if (frame.last) channel.receive_end();
  on_answered();
}

void SpdyStreams::take_data(SpdyFrame frame) {
  auto found = streams_.find(frame.stream);
  if (found != streams_.end()) found->second->receive(std::move(frame.data));
  // Whoever got it may have released the stream.
  if (frame.last) found = streams_.find(frame.stream);
  if (frame.last && found != streams_.end()) found->second->receive_end();
}

void SpdyStreams::frame(Channel& channel, std::string_view bytes) {
  if (!closing_) wire().send(SpdyWriter::data(channel.id(), bytes, false));
}

void SpdyStreams::frame_end(Channel& channel) {
  if (!closing_) wire().send(SpdyWriter::data(channel.id(), "", true));
}

void SpdyStreams::release(Channel& channel) {
  channel.close();
  streams_.erase(channel.id());
}

void SpdyStreams::finish() {
  if (closing_) return;
  wire().send(SpdyWriter::go_away(newest_));
  closing_ = true;
  wire().close(false);
}

}  // namespace tiphys::server

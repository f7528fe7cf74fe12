#include "server/session/websocket_channels.h"

#include <utility>

#include "base/encoding.h"

namespace tiphys::server {
namespace {

using Kind = WebSocketMessage::Kind;
constexpr std::uint16_t kDone = 1000, kProtocolError = 1002, kTooLarge = 1009;
constexpr unsigned char kCloseSignal = 255;

}  // namespace

bool answer_control(Wire& wire, const WebSocketMessage& message, bool& closing) {
  switch (message.kind) {
    case Kind::kPing:
      wire.send(websocket_frame(Kind::kPong, message.payload));
      return true;
    case Kind::kPong:
      return true;
    case Kind::kClose:
      if (!std::exchange(closing, true)) wire.send(websocket_close(kDone, ""));
      wire.close(true);
      return true;
    default:
      return false;
  }
}

void answer_error(Wire& wire, const Error& error, bool& closing) {
  if (std::exchange(closing, true)) return;
  const std::uint16_t code = error.code == Code::kResourceExhausted ? kTooLarge : kProtocolError;
  wire.send(websocket_close(code, error.message));
  wire.close(false);
}

WebSocketChannels::WebSocketChannels(ChannelForm form, std::size_t channels) : form_(form) {
  Carrier& carrier = *this;
  for (std::size_t i = 0; i < channels; ++i) {
    channels_.push_back(std::make_unique<Channel>(carrier, static_cast<std::uint32_t>(i)));
  }
}

void WebSocketChannels::begin(Wire& wire) {
  begin_on(wire);
  begun();
}

void WebSocketChannels::receive(std::string_view bytes) {
  reader_.feed(bytes);
  for (;;) {
    auto message = reader_.next();
    if (!message) return answer_error(wire(), message.error(), closing_);
    if (!*message) return;
    take(std::move(**message));
  }
}

void WebSocketChannels::take(WebSocketMessage message) {
  if (answer_control(wire(), message, closing_)) return pace();
  if (!closing_ && !message.payload.empty()) take_data(std::move(message.payload));
}

void WebSocketChannels::take_data(std::string payload) {
  auto number = static_cast<unsigned char>(payload[0]);
  if (form_.tells_close && number == kCloseSignal) {
    number = payload.size() > 1 ? static_cast<unsigned char>(payload[1]) : kCloseSignal;
    if (number < channels_.size()) channels_[number]->receive_end();
    return;
  }
  payload.erase(0, 1);
  if (form_.base64) {
    number = static_cast<unsigned char>(number - '0');
    auto decoded = decode_base64(payload);
    if (!decoded) return answer_error(wire(), decoded.error(), closing_);
    payload = std::move(*decoded);
  }
  // Others are not ours, and ignored.
  if (number < channels_.size()) channels_[number]->receive(std::move(payload));
}

void WebSocketChannels::frame(Channel& channel, std::string_view bytes) {
  if (closing_) return;
  std::string payload;
  payload.reserve(bytes.size() + 1);
  payload += static_cast<char>(form_.base64 ? '0' + channel.id() : channel.id());
  payload += form_.base64 ? encode_base64(bytes) : std::string(bytes);
  wire().send(websocket_frame(form_.base64 ? Kind::kText : Kind::kBinary, payload));
}

void WebSocketChannels::finish() {
  if (std::exchange(closing_, true)) return;
  wire().send(websocket_close(kDone, ""));
  wire().close(false);
}

}  // namespace tiphys::server

#include "server/session/websocket_tunnel.h"

#include <utility>

namespace tiphys::server {

void WebSocketTunnel::begin(Wire& wire) {
  outside_ = &wire;
  inside_->begin(*this);
}

void WebSocketTunnel::receive(std::string_view bytes) {
  reader_.feed(bytes);
  for (;;) {
    auto message = reader_.next();
    if (!message) return answer_error(*outside_, message.error(), closing_);
    if (!*message) return;
    if (!answer_control(*outside_, **message, closing_) && !closing_) inside_->receive((*message)->payload);
  }
}

void WebSocketTunnel::send(std::string bytes) {
  if (!closing_) outside_->send(websocket_frame(WebSocketMessage::Kind::kBinary, bytes));
}

void WebSocketTunnel::close(bool peer_is_done) {
  constexpr std::uint16_t kDone = 1000;
  if (!std::exchange(closing_, true)) outside_->send(websocket_close(kDone, ""));
  outside_->close(peer_is_done);
}

}  // namespace tiphys::server

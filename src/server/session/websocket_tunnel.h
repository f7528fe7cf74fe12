// SPDY in the binary messages of a WebSocket, for proxies that let nothing else through: SPDY/3.1+portforward.k8s.io.
#pragma once

#include <memory>

#include "server/session/websocket_channels.h"

namespace tiphys::server {

class WebSocketTunnel final : public Speaker, private Wire {
 public:
  explicit WebSocketTunnel(std::unique_ptr<Speaker> inside) : inside_(std::move(inside)) {}

  void begin(Wire& wire) override;
  void receive(std::string_view bytes) override;
  void sent_all() override { inside_->sent_all(); }

 private:
  void send(std::string bytes) override;
  std::size_t unsent() const override { return outside_->unsent(); }
  void pause(bool paused) override { outside_->pause(paused); }
  void close(bool peer_is_done) override;

  Wire* outside_ = nullptr;
  WebSocketReader reader_;
  bool closing_ = false;
  std::unique_ptr<Speaker> inside_;
};

}  // namespace tiphys::server

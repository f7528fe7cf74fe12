// Channels in the messages of a WebSocket, each led by its number: what Kubernetes calls channel.k8s.io.
#pragma once

#include <memory>
#include <vector>

#include "server/session/channel.h"
#include "server/session/websocket.h"

namespace tiphys::server {

struct ChannelForm {
  bool base64 = false;       ///< the number is a digit, and the rest is base64
  bool tells_close = false;  ///< the client ends a channel with the bytes 255, number
};

class WebSocketChannels : public Speaker, protected Carrier {
 public:
  WebSocketChannels(ChannelForm form, std::size_t channels);

  void begin(Wire& wire) final;
  void receive(std::string_view bytes) final;
  void sent_all() final { go_on(); }

 protected:
  virtual void begun() = 0;
  Channel& channel(std::size_t number) { return *channels_[number]; }
  /// All is done.
  void finish();

 private:
  void take(WebSocketMessage message);
  void take_data(std::string payload);
  void frame(Channel& channel, std::string_view bytes) override;
  void frame_end(Channel&) override {}

  const ChannelForm form_;
  WebSocketReader reader_;
  bool closing_ = false;
  std::vector<std::unique_ptr<Channel>> channels_;
};

/// Answers control frames and errors for all that speaks by WebSocket; true when the message was one.
/// `closing`: our own close is out.
bool answer_control(Wire& wire, const WebSocketMessage& message, bool& closing);
void answer_error(Wire& wire, const Error& error, bool& closing);

}  // namespace tiphys::server

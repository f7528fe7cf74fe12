// What clients do in the channels of a WebSocket: run commands, reach ports.
#pragma once

#include "server/session/command_relay.h"
#include "server/session/port_relay.h"
#include "server/session/websocket_channels.h"

namespace tiphys::server {

/// Channels 0 stdin, 1 stdout, 2 stderr, 3 how it ended, 4 sizes of the terminal.
class WebSocketCommand final : public WebSocketChannels {
 public:
  WebSocketCommand(ChannelForm form, const cluster::SessionOptions& options, EndForm end,
                   std::unique_ptr<cluster::Session> session);

 private:
  void begun() override;

  const cluster::SessionOptions options_;
  CommandRelay relay_;
};

/// Two channels for each port, data and error, both led by the port's number.
class WebSocketForward final : public WebSocketChannels {
 public:
  WebSocketForward(ChannelForm form, PortOpener open, std::string pod, std::vector<std::uint16_t> ports);

 private:
  void begun() override;

  const PortOpener open_;
  const std::string pod_;
  const std::vector<std::uint16_t> ports_;
  std::size_t open_ports_;
  std::vector<std::unique_ptr<PortRelay>> relays_;
};

}  // namespace tiphys::server

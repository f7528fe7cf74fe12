#include "server/session/websocket_sessions.h"

namespace tiphys::server {
namespace {

constexpr std::size_t kIn = 0, kOut = 1, kErr = 2, kEnd = 3, kSize = 4, kCommandChannels = 5;

}  // namespace

WebSocketCommand::WebSocketCommand(ChannelForm form, const cluster::SessionOptions& options, EndForm end,
                                   std::unique_ptr<cluster::Session> session)
    : WebSocketChannels(form, kCommandChannels), options_(options), relay_(std::move(session), options.command, end) {}

void WebSocketCommand::begun() {
  CommandChannels channels{.error = &channel(kEnd)};
  if (options_.in) channels.in = &channel(kIn);
  if (options_.out) channels.out = &channel(kOut);
  if (options_.err) channels.err = &channel(kErr);
  if (options_.tty) channels.resize = &channel(kSize);
  for (const std::size_t number : {kIn, kOut, kErr, kSize}) {
    const bool read = (number == kIn && options_.in) || (number == kSize && options_.tty);
    if (!read) channel(number).discard();
  }
  // An empty message tells that all is ready.
  channel(options_.out ? kOut : options_.err ? kErr : kEnd).write("", [] {});
  relay_.begin(channels, [this] { finish(); });
}

WebSocketForward::WebSocketForward(ChannelForm form, PortOpener open, std::string pod, std::vector<std::uint16_t> ports)
    : WebSocketChannels(form, 2 * ports.size()),
      open_(std::move(open)),
      pod_(std::move(pod)),
      ports_(std::move(ports)),
      open_ports_(ports_.size()) {}

void WebSocketForward::begun() {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    Channel& data = channel(2 * i);
    Channel& error = channel(2 * i + 1);
    const std::string number{static_cast<char>(ports_[i] & 0xff), static_cast<char>(ports_[i] >> 8)};
    data.write(number, [] {});
    error.write(number, [] {});
    relays_.push_back(std::make_unique<PortRelay>(data, error, [this] {
      if (--open_ports_ == 0) finish();
    }));
    relays_.back()->begin(open_, pod_, ports_[i]);
  }
}

}  // namespace tiphys::server

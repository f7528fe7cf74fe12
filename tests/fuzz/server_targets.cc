#include <algorithm>

#include "fuzz/targets.h"
#include "server/session/spdy_sessions.h"
#include "server/session/testing.h"
#include "server/session/websocket_tunnel.h"

namespace tiphys::fuzz {
namespace {

/// What a reader makes of an input that comes in pieces: a line for all that is no data, the data in between as one.
template <typename Reader, typename Tell>
std::string read_in_pieces(std::string_view input, std::size_t step, Tell tell) {
  Reader reader;
  std::string told;
  while (!input.empty()) {
    const std::string_view piece = input.substr(0, step);
    input.remove_prefix(piece.size());
    reader.feed(piece);
    for (;;) {
      const auto next = reader.next();
      check_error(next);
      if (!next) return told + next.error().message;
      if (!*next) break;
      tell(told, **next);
    }
  }
  return told;
}

void tell_frame(std::string& told, const server::SpdyFrame& frame) {
  using Type = server::SpdyFrame::Type;
  // The pieces of a data frame are as its bytes come.
  if (frame.type == Type::kData) {
    told += frame.data;
    return;
  }
  told += "\n" + std::to_string(static_cast<int>(frame.type)) + " " + std::to_string(frame.stream);
  for (const auto& [name, value] : frame.headers) told += " " + name + "=" + value;
  told += "\n";
}

void spdy(std::string_view input) {
  const auto all = read_in_pieces<server::SpdyReader>(input, input.size(), tell_frame);
  const auto bytes = read_in_pieces<server::SpdyReader>(input, 1, tell_frame);
  TIPHYS_CHECK(all == bytes, "how bytes come in pieces does not matter");
}

void websocket(std::string_view input) {
  const auto tell = [](std::string& told, const server::WebSocketMessage& message) {
    told += std::to_string(static_cast<int>(message.kind)) + " " + message.payload + "\n";
  };
  const auto all = read_in_pieces<server::WebSocketReader>(input, input.size(), tell);
  const auto bytes = read_in_pieces<server::WebSocketReader>(input, 1, tell);
  TIPHYS_CHECK(all == bytes, "how bytes come in pieces does not matter");
}

/// A client of ports, whose ports all answer.
void spdy_forward(std::string_view input) {
  server::FakeWire wire;
  std::vector<std::shared_ptr<server::FakeSession::State>> ports;
  server::SpdyForward speaker(
      [&](std::uint16_t port, cluster::Done<std::unique_ptr<cluster::Session>> done) {
        if (port % 2 == 1) return done(fail(Code::kUnavailable, "nobody listens"));
        ports.push_back(std::make_shared<server::FakeSession::State>());
        done(std::make_unique<server::FakeSession>(ports.back()));
      },
      "p");
  speaker.begin(wire);
  while (!input.empty() && !wire.closed) {
    const std::string_view piece = input.substr(0, 64);
    input.remove_prefix(piece.size());
    speaker.receive(piece);
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (ports[i]->write && !ports[i]->gone) ports[i]->take();
      if (ports[i]->out && !ports[i]->gone) ports[i]->give(ports[i]->out, i % 3 == 2 ? "" : "x");
    }
  }
}

constexpr std::array kTargets{
    Target{"spdy", spdy},
    Target{"spdy_forward", spdy_forward},
    Target{"websocket", websocket},
};

}  // namespace

std::span<const Target> server_targets() {
  return kTargets;
}

}  // namespace tiphys::fuzz

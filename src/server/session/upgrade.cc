#include "server/session/upgrade.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "server/session/websocket.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kSpdyVersion = "SPDY/3.1";

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

objects::Outcome<std::string> choose(const std::vector<std::string>& asked, std::span<const std::string_view> known) {
  if (asked.empty()) return std::string();
  for (const std::string& protocol : asked) {
    if (std::ranges::find(known, protocol) != known.end()) return protocol;
  }
  return std::unexpected(objects::Refusal{
      403, "Forbidden",
      fmt::format("unable to upgrade: unable to negotiate protocol: client supports {}, server accepts {}", asked,
                  known)});
}

}  // namespace

bool is_websocket(const UpgradeRequest& upgrade) {
  return same_word(upgrade.to, "websocket");
}

objects::Outcome<Agreed> agree(const Request& request, std::span<const std::string_view> by_websocket,
                               std::span<const std::string_view> by_spdy) {
  if (!request.upgrade) return std::unexpected(objects::bad_request("Upgrade request required"));
  const UpgradeRequest& upgrade = *request.upgrade;
  Agreed agreed;
  if (same_word(upgrade.to, kSpdyVersion)) {
    TIPHYS_TRY(agreed.protocol, choose(upgrade.stream_protocols, by_spdy));
    agreed.head =
        fmt::format("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {}\r\n", kSpdyVersion);
    if (!agreed.protocol.empty()) agreed.head += fmt::format("X-Stream-Protocol-Version: {}\r\n", agreed.protocol);
  } else if (is_websocket(upgrade)) {
    if (upgrade.websocket_version != "13" || upgrade.websocket_key.empty()) {
      return std::unexpected(
          objects::bad_request("a WebSocket needs the headers Sec-WebSocket-Version: 13 and "
                               "Sec-WebSocket-Key"));
    }
    agreed.transport = Transport::kWebSocket;
    TIPHYS_TRY(agreed.protocol, choose(upgrade.websocket_protocols, by_websocket));
    agreed.head = fmt::format(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n",
        websocket_accept(upgrade.websocket_key));
    if (!agreed.protocol.empty()) agreed.head += fmt::format("Sec-WebSocket-Protocol: {}\r\n", agreed.protocol);
  } else {
    return std::unexpected(objects::bad_request(
        fmt::format("cannot upgrade to \"{}\": the server knows websocket and {}", upgrade.to, kSpdyVersion)));
  }
  agreed.head += "\r\n";
  return agreed;
}

}  // namespace tiphys::server

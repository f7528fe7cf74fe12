// The frames of WebSockets (RFC 6455), as a server reads and writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::server {

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

struct WebSocketMessage {
  enum class Kind : std::uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };
  Kind kind;
  std::string payload;
};

/// Puts messages together from the bytes of a client. After an error nothing more is read.
class WebSocketReader {
 public:
  /// A message of a client may be as large as in Kubernetes.
  static constexpr std::size_t kMostMessageBytes = std::size_t{32} * 1024 * 1024;

  void feed(std::string_view bytes);
  /// The next whole message; nothing when more bytes are needed. kResourceExhausted for one that is too large.
  Result<std::optional<WebSocketMessage>> next();

 private:
  struct Header {
    bool final = false;
    std::uint8_t code = 0;
    std::uint64_t length = 0;
    std::size_t size = 0;  ///< of the header itself, with its mask
  };
  Result<std::optional<Header>> read_header() const;
  Status check(const Header& header) const;
  void unmask(std::size_t header_size, std::size_t length);

  std::string buffer_;
  std::size_t at_ = 0;                     ///< what lies before it in the buffer is done
  std::optional<WebSocketMessage> begun_;  ///< a message whose last fragment has not come
};

std::string websocket_frame(WebSocketMessage::Kind kind, std::string_view payload);
/// Status codes: 1000 done, 1002 protocol error, 1009 too large, 1011 internal error.
std::string websocket_close(std::uint16_t code, std::string_view reason);

}  // namespace tiphys::server

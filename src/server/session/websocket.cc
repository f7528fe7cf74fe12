#include "server/session/websocket.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

#include "base/encoding.h"

namespace tiphys::server {
namespace {

constexpr std::uint8_t kFinal = 0x80, kReserved = 0x70, kCode = 0x0f, kMasked = 0x80, kLength = 0x7f;
constexpr std::uint8_t kContinuation = 0;
constexpr std::size_t kMaskBytes = 4;
constexpr std::size_t kMostControlBytes = 125;

bool is_control(std::uint8_t code) {
  return (code & 8) != 0;
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<std::uint8_t>(c);
  return number;
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return encode_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

void WebSocketReader::feed(std::string_view bytes) {
  buffer_.erase(0, std::exchange(at_, 0));
  buffer_ += bytes;
}

Result<std::optional<WebSocketReader::Header>> WebSocketReader::read_header() const {
  const std::string_view left = std::string_view(buffer_).substr(at_);
  if (left.size() < 2) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(left[0]);
  const auto second = static_cast<std::uint8_t>(left[1]);
  Header header;
  header.final = (first & kFinal) != 0;
  header.code = first & kCode;
  header.length = second & kLength;
  if ((first & kReserved) != 0) return fail(Code::kInvalidArgument, "a frame has reserved bits");
  if ((second & kMasked) == 0) return fail(Code::kInvalidArgument, "a client's frame is not masked");
  const std::size_t more = header.length == 126 ? 2 : header.length == 127 ? 8 : 0;
  header.size = 2 + more + kMaskBytes;
  if (left.size() < header.size) return std::nullopt;
  if (more > 0) header.length = big_endian(left.substr(2, more));
  return header;
}

Status WebSocketReader::check(const Header& header) const {
  if (is_control(header.code)) {
    if (header.code > 10) return fail(Code::kInvalidArgument, fmt::format("unknown frame {}", header.code));
    if (header.final && header.length <= kMostControlBytes) return {};
    return fail(Code::kInvalidArgument, "a control frame is larger than 125 bytes or one of several");
  }
  if (header.code > 2) return fail(Code::kInvalidArgument, fmt::format("unknown frame {}", header.code));
  if ((header.code == kContinuation) != begun_.has_value()) {
    return fail(Code::kInvalidArgument, "a fragment is out of order");
  }
  const std::size_t before = begun_ ? begun_->payload.size() : 0;
  if (header.length > kMostMessageBytes - before) {
    return fail(Code::kResourceExhausted, fmt::format("a message is larger than {} MiB", kMostMessageBytes >> 20));
  }
  return {};
}

void WebSocketReader::unmask(std::size_t header_size, std::size_t length) {
  const std::string mask = buffer_.substr(at_ + header_size - kMaskBytes, kMaskBytes);
  char* payload = buffer_.data() + at_ + header_size;
  for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % kMaskBytes]);
}

Result<std::optional<WebSocketMessage>> WebSocketReader::next() {
  for (;;) {
    TIPHYS_TRY(const std::optional<Header> header, read_header());
    if (!header) return std::nullopt;
    TIPHYS_CHECK_OK(check(*header));
    const auto length = static_cast<std::size_t>(header->length);
    if (buffer_.size() - at_ - header->size < length) return std::nullopt;
    unmask(header->size, length);
    std::string payload = buffer_.substr(at_ + header->size, length);
    at_ += header->size + length;
    if (is_control(header->code)) {
      return WebSocketMessage{static_cast<WebSocketMessage::Kind>(header->code), std::move(payload)};
    }
    if (header->code != kContinuation) begun_ = {static_cast<WebSocketMessage::Kind>(header->code), {}};
    begun_->payload.empty() ? begun_->payload = std::move(payload) : begun_->payload += payload;
    if (header->final) return std::exchange(begun_, std::nullopt);
  }
}

std::string websocket_frame(WebSocketMessage::Kind kind, std::string_view payload) {
  std::string frame;
  frame.reserve(payload.size() + 10);
  frame += static_cast<char>(kFinal | static_cast<std::uint8_t>(kind));
  const auto add_length = [&](int bytes) {
    for (int i = bytes - 1; i >= 0; --i) frame += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  };
  if (payload.size() <= kMostControlBytes) {
    add_length(1);
  } else if (payload.size() <= 0xffff) {
    frame += static_cast<char>(126);
    add_length(2);
  } else {
    frame += static_cast<char>(127);
    add_length(8);
  }
  frame += payload;
  return frame;
}

std::string websocket_close(std::uint16_t code, std::string_view reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload += reason.substr(0, kMostControlBytes - 2);
  return websocket_frame(WebSocketMessage::Kind::kClose, payload);
}

}  // namespace tiphys::server

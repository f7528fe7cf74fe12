#include "server/session/spdy_frames.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::server {
namespace {

constexpr std::uint16_t kControl = 0x8000, kVersion = 3;
constexpr std::uint8_t kFin = 1;
constexpr std::uint32_t kStreamMask = 0x7fffffff;
constexpr std::size_t kHeadBytes = 8;

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size = 4) {
  std::uint32_t number = 0;
  for (const char c : bytes.substr(at, size)) number = number << 8 | static_cast<std::uint8_t>(c);
  return number;
}

void add(std::string& frame, std::uint32_t number, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) frame += static_cast<char>(number >> (8 * i) & 0xff);
}

std::string control(SpdyFrame::Type type, std::uint8_t flags, std::string_view body) {
  std::string frame;
  add(frame, kControl | kVersion, 2);
  add(frame, static_cast<std::uint16_t>(type), 2);
  add(frame, flags, 1);
  add(frame, static_cast<std::uint32_t>(body.size()), 3);
  frame += body;
  return frame;
}

std::string two_numbers(std::uint32_t first, std::uint32_t second) {
  std::string body;
  add(body, first, 4);
  add(body, second, 4);
  return body;
}

/// Where in the body of such a frame the headers begin; 0: it has none.
std::size_t headers_at(SpdyFrame::Type type) {
  using Type = SpdyFrame::Type;
  return type == Type::kSynStream ? 10 : type == Type::kSynReply || type == Type::kHeaders ? 4 : 0;
}

}  // namespace

void SpdyReader::feed(std::string_view bytes) {
  buffer_.erase(0, std::exchange(at_, 0));
  buffer_ += bytes;
}

Result<std::optional<SpdyFrame>> SpdyReader::next() {
  for (;;) {
    if (in_data_) return next_piece();
    const std::string_view left = std::string_view(buffer_).substr(at_);
    if (left.size() < kHeadBytes) return std::nullopt;
    const std::uint8_t flags = static_cast<std::uint8_t>(left[4]);
    const std::size_t length = number_at(left, 5, 3);
    if ((number_at(left, 0, 2) & kControl) == 0) {
      data_ = {.type = SpdyFrame::Type::kData, .stream = number_at(left, 0) & kStreamMask, .last = (flags & kFin) != 0};
      data_left_ = length;
      in_data_ = true;
      at_ += kHeadBytes;
      continue;
    }
    if ((number_at(left, 0, 2) & ~kControl) != kVersion) {
      return fail(Code::kInvalidArgument,
                  fmt::format("a frame of version {} of SPDY", number_at(left, 0, 2) & ~kControl));
    }
    if (length > kMostControlBytes) return fail(Code::kResourceExhausted, "a control frame of SPDY is too large");
    if (left.size() < kHeadBytes + length) return std::nullopt;
    at_ += kHeadBytes + length;
    TIPHYS_TRY(auto frame,
               read_control(static_cast<std::uint16_t>(number_at(left, 2, 2)), flags, left.substr(kHeadBytes, length)));
    if (frame) return frame;
  }
}

/// A frame that has no data is a piece too: it may be the last.
std::optional<SpdyFrame> SpdyReader::next_piece() {
  const std::size_t size = std::min(data_left_, buffer_.size() - at_);
  if (size == 0 && data_left_ > 0) return std::nullopt;
  SpdyFrame piece{.type = SpdyFrame::Type::kData, .stream = data_.stream, .data = buffer_.substr(at_, size)};
  at_ += size;
  data_left_ -= size;
  in_data_ = data_left_ > 0;
  piece.last = data_.last && !in_data_;
  return piece;
}

/// Nothing for a frame that may be ignored.
Result<std::optional<SpdyFrame>> SpdyReader::read_control(std::uint16_t type, std::uint8_t flags,
                                                          std::string_view body) {
  using Type = SpdyFrame::Type;
  SpdyFrame frame{.type = static_cast<Type>(type), .last = (flags & kFin) != 0};
  switch (frame.type) {
    case Type::kSynStream:
    case Type::kSynReply:
    case Type::kHeaders: {
      const std::size_t at = headers_at(frame.type);
      if (body.size() < at) return fail(Code::kInvalidArgument, "a frame of SPDY is too short");
      frame.stream = number_at(body, 0) & kStreamMask;
      TIPHYS_TRY(frame.headers, headers_.read(body.substr(at)));
      return frame;
    }
    case Type::kRstStream:
    case Type::kGoAway:
    case Type::kWindowUpdate:
      if (body.size() != 8) return fail(Code::kInvalidArgument, "a frame of SPDY has a wrong length");
      frame.stream = number_at(body, 0) & kStreamMask;
      frame.number = number_at(body, 4);
      return frame;
    case Type::kPing:
      if (body.size() != 4) return fail(Code::kInvalidArgument, "a ping of SPDY has a wrong length");
      frame.number = number_at(body, 0);
      return frame;
    case Type::kSettings:
      return frame;
    default:
      return std::nullopt;
  }
}

std::string SpdyWriter::data(std::uint32_t stream, std::string_view bytes, bool last) {
  std::string frame;
  frame.reserve(bytes.size() + kHeadBytes);
  add(frame, stream & kStreamMask, 4);
  add(frame, last ? kFin : 0, 1);
  add(frame, static_cast<std::uint32_t>(bytes.size()), 3);
  frame += bytes;
  return frame;
}

std::string SpdyWriter::reset(std::uint32_t stream, SpdyReset why) {
  return control(SpdyFrame::Type::kRstStream, 0, two_numbers(stream, static_cast<std::uint32_t>(why)));
}

std::string SpdyWriter::ping(std::uint32_t id) {
  std::string body;
  add(body, id, 4);
  return control(SpdyFrame::Type::kPing, 0, body);
}

std::string SpdyWriter::go_away(std::uint32_t last_stream) {
  return control(SpdyFrame::Type::kGoAway, 0, two_numbers(last_stream, 0));
}

std::string SpdyWriter::syn_stream(std::uint32_t stream, const SpdyHeaders& headers, bool last) {
  std::string body = two_numbers(stream, 0);
  add(body, 0, 2);
  body += headers_.write(headers);
  return control(SpdyFrame::Type::kSynStream, last ? kFin : 0, body);
}

std::string SpdyWriter::syn_reply(std::uint32_t stream, const SpdyHeaders& headers) {
  std::string body;
  add(body, stream, 4);
  body += headers_.write(headers);
  return control(SpdyFrame::Type::kSynReply, 0, body);
}

}  // namespace tiphys::server

#include "server/argo/grpc_frames.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace tiphys::server {
namespace {

constexpr std::size_t kPrefixBytes = 5;

std::unexpected<Error> too_large(std::size_t most) {
  return fail(Code::kResourceExhausted, fmt::format("grpc: received message larger than max ({} bytes)", most));
}

/// Of a prefix that is whole.
std::size_t size_in(std::string_view prefix) {
  std::uint32_t size = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i) size = size << 8U | static_cast<unsigned char>(prefix[i]);
  return size;
}

struct Inflating {
  z_stream stream{};
  bool ready = inflateInit2(&stream, 15 + 16) == Z_OK;  // gzip
  Inflating() = default;
  Inflating(const Inflating&) = delete;
  Inflating& operator=(const Inflating&) = delete;
  ~Inflating() { inflateEnd(&stream); }
};

Result<std::string> gunzip(std::string_view packed, std::size_t most) {
  Inflating inflating;
  if (!inflating.ready) return fail(Code::kResourceExhausted, "grpc: no memory to decompress a message");
  z_stream& stream = inflating.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  char piece[16 * 1024];
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    const int told = inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof piece - stream.avail_out);
    if (out.size() > most) return too_large(most);
    if (told == Z_STREAM_END) return out;
    if (told != Z_OK) return fail(Code::kInternal, "grpc: failed to decompress the received message");
  }
}

}  // namespace

std::string grpc_frame(std::string_view message) {
  const auto size = static_cast<std::uint32_t>(message.size());
  std::string frame(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift & 0xFFU);
  frame += message;
  return frame;
}

Result<std::string> read_grpc_message(std::string_view body, std::string_view encoding, std::size_t most) {
  if (body.size() < kPrefixBytes) {
    return fail(Code::kInternal, body.empty() ? "grpc: a call needs one message" : "grpc: unexpected EOF");
  }
  const char flag = body[0];
  const std::size_t size = size_in(body);
  if (size > most) return too_large(most);
  const std::string_view message = body.substr(kPrefixBytes);
  if (message.size() < size) return fail(Code::kInternal, "grpc: unexpected EOF");
  if (message.size() > size) return fail(Code::kInternal, "grpc: a call has one message, not several");
  if (flag == 0) return std::string(message);
  if (flag != 1) return fail(Code::kInternal, fmt::format("grpc: received unexpected payload format {}", int{flag}));
  if (encoding.empty() || encoding == "identity") {
    return fail(Code::kInternal, "grpc: compressed flag set with identity or empty encoding");
  }
  if (encoding != "gzip") {
    return fail(Code::kUnimplemented,
                fmt::format("grpc: Decompressor is not installed for grpc-encoding \"{}\"", encoding));
  }
  return gunzip(message, most);
}

void GrpcMessages::add(std::string_view bytes) {
  bytes_.erase(0, std::exchange(at_, 0));
  bytes_ += bytes;
}

Result<std::optional<std::string>> GrpcMessages::next() {
  const std::string_view left = std::string_view(bytes_).substr(at_);
  if (left.size() < kPrefixBytes) return std::nullopt;
  const std::size_t size = size_in(left);
  if (size > most_) return too_large(most_);
  if (left.size() - kPrefixBytes < size) return std::nullopt;
  at_ += kPrefixBytes + size;
  return read_grpc_message(left.substr(0, kPrefixBytes + size), encoding_, most_);
}

Result<Duration> parse_grpc_timeout(std::string_view text) {
  constexpr std::pair<char, Duration> kUnits[] = {
      {'n', std::chrono::nanoseconds(1)}, {'u', std::chrono::microseconds(1)}, {'m', std::chrono::milliseconds(1)},
      {'S', std::chrono::seconds(1)},     {'M', std::chrono::minutes(1)},      {'H', std::chrono::hours(1)}};
  constexpr std::size_t kMostDigits = 8;
  constexpr Duration kLongest = std::chrono::hours(24 * 365);
  const auto malformed = [&] {
    return fail(Code::kInternal, fmt::format("malformed grpc-timeout: \"{}\"", encode_grpc_text(text)));
  };
  if (text.size() < 2 || text.size() > kMostDigits + 1) return malformed();
  const auto unit = std::ranges::find(kUnits, text.back(), &std::pair<char, Duration>::first);
  std::uint32_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [at, error] = std::from_chars(text.data(), end, count);
  if (unit == std::end(kUnits) || error != std::errc() || at != end) return malformed();
  return count > kLongest / unit->second ? kLongest : count * unit->second;
}

std::string encode_grpc_text(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7E || c == '%') {
      encoded += fmt::format("%{:02X}", byte);
    } else {
      encoded += c;
    }
  }
  return encoded;
}

}  // namespace tiphys::server

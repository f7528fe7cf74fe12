#include "base/encoding.h"

#include <cstdint>

namespace tiphys {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::unexpected<Error> corrupt(std::string_view encoding, std::size_t offset) {
  return fail(Code::kInvalidArgument,
              "illegal " + std::string(encoding) + " data at input byte " + std::to_string(offset));
}

/// Digits of `width` bits each, padded to groups of `group` digits; 1: not padded.
std::string encode(std::string_view bytes, std::string_view alphabet, int width, std::size_t group) {
  std::string out;
  std::uint64_t bits = 0;
  int count = 0;
  const std::uint64_t mask = alphabet.size() - 1;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (count += 8; count >= width; count -= width) out += alphabet[(bits >> (count - width)) & mask];
  }
  if (count > 0) out += alphabet[(bits << (width - count)) & mask];
  while (out.size() % group != 0) out += '=';
  return out;
}

/// The other way; bits beyond the last whole byte do not count.
std::string join_bits(std::string_view digits, std::string_view alphabet, int width) {
  std::string bytes;
  std::uint64_t bits = 0;
  int count = 0;
  for (const char digit : digits) {
    bits = (bits << width) | alphabet.find(digit);
    count += width;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 0xFF);
  }
  return bytes;
}

bool is_line_break(char c) {
  return c == '\r' || c == '\n';
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  return encode(bytes, kBase64, 6, 4);
}
std::string encode_base32(std::string_view bytes) {
  return encode(bytes, kBase32, 5, 8);
}

Result<std::string> decode_base64(std::string_view text) {
  constexpr std::string_view kName = "base64";
  std::string digits;
  std::size_t at = 0;
  const auto skip_line_breaks = [&] {
    while (at < text.size() && is_line_break(text[at])) ++at;
  };
  for (skip_line_breaks(); at < text.size(); skip_line_breaks()) {
    const char c = text[at++];
    if (kBase64.find(c) != std::string_view::npos) {
      digits += c;
      continue;
    }
    // Only padding may follow, and nothing after it.
    const std::size_t in_group = digits.size() % 4;
    if (c != '=' || in_group < 2) return corrupt(kName, at - 1);
    if (in_group == 2) {
      skip_line_breaks();
      if (at == text.size()) return corrupt(kName, at);
      if (text[at] != '=') return corrupt(kName, at - 1);
      ++at;
    }
    skip_line_breaks();
    if (at < text.size()) return corrupt(kName, at);
    return join_bits(digits, kBase64, 6);
  }
  if (digits.size() % 4 != 0) return corrupt(kName, text.size() - digits.size() % 4);
  return join_bits(digits, kBase64, 6);
}

Result<std::string> decode_base32(std::string_view text) {
  constexpr std::string_view kName = "base32";
  std::string plain;
  for (const char c : text) {
    if (!is_line_break(c)) plain += c;
  }
  std::size_t at = 0;
  while (at < plain.size() && kBase32.find(plain[at]) != std::string_view::npos) ++at;
  const std::size_t in_group = at % 8;
  const std::size_t left = plain.size() - at;
  if (left == 0) {
    if (in_group != 0) return corrupt(kName, plain.size() - in_group);
    return join_bits(plain, kBase32, 5);
  }
  if (plain[at] != '=' || in_group < 2 || left > 8) return corrupt(kName, at);
  if (in_group + left < 8) return corrupt(kName, plain.size());
  for (std::size_t i = at + 1; i < at + 8 - in_group; ++i) {
    if (plain[i] != '=') return corrupt(kName, i - 1);
  }
  // One, three and six digits hold no whole number of bytes.
  if (in_group == 3 || in_group == 6) return corrupt(kName, at);
  return join_bits(std::string_view(plain).substr(0, at), kBase32, 5);
}

std::string encode_base64url(std::string_view bytes) {
  return encode(bytes, kBase64Url, 6, 1);
}

Result<std::string> decode_base64url(std::string_view text) {
  constexpr std::string_view kName = "base64url";
  const auto wrong = text.find_first_not_of(kBase64Url);
  if (wrong != std::string_view::npos) return corrupt(kName, wrong);
  if (text.size() % 4 == 1) return corrupt(kName, text.size() - 1);
  return join_bits(text, kBase64Url, 6);
}

std::string encode_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char byte : bytes) {
    out += kDigits[static_cast<unsigned char>(byte) >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace tiphys

#include "telemetry/span.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace tiphys::telemetry {
namespace {

/// FNV-1a of 64 bits (RFC 9923), whose bits are then mixed: it alone leaves texts alike that differ in their last byte.
std::uint64_t hash_of(std::string_view text, std::uint64_t hash) {
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211U;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdU;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53U;
  return hash ^ hash >> 33;
}

constexpr std::uint64_t kBasis = 14695981039346656037U;
/// Of the other half of an id with two.
constexpr std::uint64_t kOtherBasis = 0x6c62272e07bb0142U;

void put(std::uint64_t value, char* bytes) {
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Of "7b0c8f3e-...": 32 digits, dashes left out.
std::optional<TraceId> bytes_of(std::string_view uuid) {
  TraceId id;
  std::size_t digits = 0;
  for (const char c : uuid) {
    if (c == '-') continue;
    const int digit = digit_of(c);
    if (digit < 0 || digits == 2 * id.bytes.size()) return std::nullopt;
    char& byte = id.bytes[digits++ / 2];
    byte = static_cast<char>((static_cast<unsigned char>(byte) << 4) | digit);
  }
  if (digits != 2 * id.bytes.size() || id == TraceId()) return std::nullopt;
  return id;
}

template <typename Id>
std::string hex(const Id& id) {
  return encode_hex({id.bytes.data(), id.bytes.size()});
}

}  // namespace

TraceId trace_id_of(std::string_view uid) {
  if (const auto id = bytes_of(uid)) return *id;
  TraceId id;
  put(hash_of(uid, kBasis), id.bytes.data());
  put(std::max<std::uint64_t>(hash_of(uid, kOtherBasis), 1), id.bytes.data() + 8);
  return id;
}

SpanId span_id_of(std::string_view text) {
  SpanId id;
  put(std::max<std::uint64_t>(hash_of(text, kBasis), 1), id.bytes.data());
  return id;
}

std::string traceparent(const TraceId& trace, const SpanId& span) {
  return fmt::format("00-{}-{}-01", hex(trace), hex(span));
}

}  // namespace tiphys::telemetry

// FNV hashes of 32 bits (RFC 9923), which Argo uses for node ids and pod names.
#pragma once

#include <cstdint>
#include <string_view>

namespace tiphys {

/// FNV-1a, 32 bits: Go's hash/fnv New32a.
constexpr std::uint32_t fnv1a_32(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 16777619u;
  }
  return hash;
}

}  // namespace tiphys

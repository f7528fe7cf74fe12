// Argon2id (RFC 9106), from which the original makes the keys that objects are encrypted with. OpenSSL 3.0 has none,
// and libargon2 takes no salt of less than eight bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::artifact {

struct Argon2 {
  std::uint32_t passes = 1;
  std::uint32_t kibibytes = 64 * 1024;
  std::uint32_t lanes = 4;
  std::uint32_t bytes = 32;  ///< of the key, 64 at most
};

/// A key for the password. It takes the memory that is asked for, and some hundredth of a second.
std::string argon2id(std::string_view password, std::string_view salt, const Argon2& cost);

}  // namespace tiphys::artifact

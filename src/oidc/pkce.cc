#include "oidc/pkce.h"

#include <openssl/sha.h>

#include <array>

#include "base/encoding.h"
#include "base/random.h"

namespace tiphys::oidc {

std::string random_text() {
  SystemRandom random;
  std::string bytes;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t word = random.next();
    for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(word >> shift & 0xFFU);
  }
  return encode_base64url(bytes);
}

std::string challenge_of(std::string_view verifier) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size(), hash.data());
  return encode_base64url({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace tiphys::oidc

// Proof keys for authorization codes (RFC 7636): who redeems a code is who has asked for it.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::oidc {

/// 256 random bits in characters that a verifier, a state or a nonce may have.
std::string random_text();
/// By S256.
std::string challenge_of(std::string_view verifier);

}  // namespace tiphys::oidc

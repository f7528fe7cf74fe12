// Whether an ID token is good (OpenID Connect Core 1.0, 3.1.3.7), as go-oidc decides it, and by its nonce.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "doc/value.h"
#include "jose/key.h"

namespace tiphys::oidc {

struct Expected {
  std::string issuer, client_id, nonce;
  std::vector<std::string> algorithms;
};

/// Its claims. kUnauthenticated: why it is not good; kNotFound: it may be, but none of these keys has signed it, so
/// that the provider's newest ones are to be asked for.
Result<doc::Value> verify_id_token(std::string_view text, std::span<const jose::Key> keys, const Expected& expected,
                                   Time now);

/// Longer ones are refused unread.
inline constexpr std::size_t kMostIdTokenBytes = 64 * 1024;

}  // namespace tiphys::oidc

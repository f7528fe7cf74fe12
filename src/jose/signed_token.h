// Signed tokens in their compact form (RFC 7515 3.1, RFC 7519).
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "doc/value.h"
#include "jose/key.h"

namespace tiphys::jose {

/// A token taken apart; nothing of it is believed yet.
struct SignedToken {
  std::string algorithm, key_id;
  doc::Value claims;
  std::string covered;    ///< what is signed
  std::string signature;  ///< bytes
};

/// kInvalidArgument: no such token, or one that needs more than is known here ("crit").
Result<SignedToken> parse_signed_token(std::string_view text);

/// Signed by ES256.
Result<std::string> write_signed_token(const doc::Object& claims, const Key& key);

/// A claim that is a NumericDate (RFC 7519 2), fractions left out; the epoch when it is missing or none.
Time time_of(const doc::Value& claims, std::string_view name);
std::int64_t numeric_date(Time at);

}  // namespace tiphys::jose

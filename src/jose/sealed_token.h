// Tokens that only their maker can read and make (RFC 7516): a key of his own ("dir"), AES-256-GCM, deflated where that
// makes them shorter.
#pragma once

#include <string>
#include <string_view>

#include "doc/value.h"

namespace tiphys::jose {

class TokenSeal {
 public:
  /// The key is the SHA-256 of the secret.
  explicit TokenSeal(std::string_view secret);

  Result<std::string> seal(const doc::Value& claims) const;
  /// kUnauthenticated: not of this key, damaged, or no such token. No time is looked at.
  Result<doc::Value> open(std::string_view token) const;

  /// Longer ones are not looked at; what they hold has at most kMostClaimBytes.
  static constexpr std::size_t kMostTokenBytes = 16 * 1024;
  static constexpr std::size_t kMostClaimBytes = 64 * 1024;

 private:
  std::string key_;
};

}  // namespace tiphys::jose

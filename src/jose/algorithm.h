// Signing and verifying by the algorithms of RFC 7518 3 and RFC 8037 that need a key pair.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "jose/key.h"

namespace tiphys::jose {

/// RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA.
std::span<const std::string_view> algorithms();

/// Whether `signature` is that of `text` by this algorithm and this key. A key of another kind, on another curve, or
/// for another algorithm has signed nothing, and an unknown algorithm neither.
bool verify(std::string_view algorithm, const Key& key, std::string_view text, std::string_view signature);

/// ES256, with a private key on P-256. kInvalidArgument: it is none.
Result<std::string> sign_es256(const Key& key, std::string_view text);

}  // namespace tiphys::jose

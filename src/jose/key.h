// Keys that tokens are signed and verified with.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "doc/value.h"

namespace tiphys::jose {

struct Key {
  std::shared_ptr<EVP_PKEY> handle;
  std::string id{};         ///< "kid"; "" for none
  std::string algorithm{};  ///< "alg", the only one that it is for; "" for all that suit its kind
};

/// A private key in PEM. kInvalidArgument when it is none.
Result<Key> read_private_key(std::string_view pem);

/// A new private key on P-256, as PEM.
Result<std::string> make_ec_key();

/// A JSON Web Key with a public key: RSA of 2048 to 8192 bits, EC on P-256, P-384 and P-521, Ed25519.
Result<Key> read_web_key(const doc::Value& key);

/// Those of a set that verify signatures and are understood here; at most kMostKeys. kInvalidArgument: it is no set.
Result<std::vector<Key>> read_web_keys(const doc::Value& set);
inline constexpr std::size_t kMostKeys = 100;

}  // namespace tiphys::jose

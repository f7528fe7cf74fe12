// Private keys in PEM. New ones come from OpenSSL's own generator: no seed repeats them.
#pragma once

#include <openssl/evp.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/openssl.h"

namespace tiphys::expr {

using PrivateKey = Owned<EVP_PKEY, EVP_PKEY_free>;

Result<PrivateKey> generate_rsa_key(std::size_t bits);
Result<PrivateKey> generate_dsa_key();    ///< 2048 and 256 bits
Result<PrivateKey> generate_ecdsa_key();  ///< on P-256
Result<PrivateKey> generate_ed25519_key();

/// In the form of its kind ("RSA PRIVATE KEY"), or PKCS#8 ("PRIVATE KEY") for kinds that have none.
std::string private_key_text(const PrivateKey& key);
/// What that writes, and PKCS#8 for all kinds. RSA keys have 1024 to 8192 bits, those on curves 521 at most.
Result<PrivateKey> parse_private_key(std::string_view text);

}  // namespace tiphys::expr

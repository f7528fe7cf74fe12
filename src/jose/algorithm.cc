#include "jose/algorithm.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "base/openssl.h"

namespace tiphys::jose {
namespace {

using Digest = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Signature = Owned<ECDSA_SIG, ECDSA_SIG_free>;

struct Algorithm {
  std::string_view name;
  int kind;                 ///< of the key
  const EVP_MD* (*hash)();  ///< null: the algorithm's own
  bool pss = false;
  const char* curve = nullptr;
  std::size_t half = 0;  ///< bytes of r and of s (RFC 7518 3.4)
};

constexpr Algorithm kAlgorithms[] = {
    {"RS256", EVP_PKEY_RSA, EVP_sha256},
    {"RS384", EVP_PKEY_RSA, EVP_sha384},
    {"RS512", EVP_PKEY_RSA, EVP_sha512},
    {"PS256", EVP_PKEY_RSA, EVP_sha256, true},
    {"PS384", EVP_PKEY_RSA, EVP_sha384, true},
    {"PS512", EVP_PKEY_RSA, EVP_sha512, true},
    {"ES256", EVP_PKEY_EC, EVP_sha256, false, "prime256v1", 32},
    {"ES384", EVP_PKEY_EC, EVP_sha384, false, "secp384r1", 48},
    {"ES512", EVP_PKEY_EC, EVP_sha512, false, "secp521r1", 66},
    {"EdDSA", EVP_PKEY_ED25519, nullptr},
};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

const Algorithm* find_algorithm(std::string_view name) {
  const auto found = std::ranges::find(kAlgorithms, name, &Algorithm::name);
  return found == std::ranges::end(kAlgorithms) ? nullptr : found;
}

bool suits(const Algorithm& algorithm, const Key& key) {
  if (!key.handle || EVP_PKEY_get_base_id(key.handle.get()) != algorithm.kind) return false;
  if (!key.algorithm.empty() && key.algorithm != algorithm.name) return false;
  if (!algorithm.curve) return true;
  std::array<char, 64> curve{};
  return EVP_PKEY_get_group_name(key.handle.get(), curve.data(), curve.size(), nullptr) == 1 &&
         std::string_view(curve.data()) == algorithm.curve;
}

/// r and s beside each other as OpenSSL's DER; "" when they are not.
std::string der_of(const Algorithm& algorithm, std::string_view bare) {
  if (bare.size() != 2 * algorithm.half) return "";
  const int half = static_cast<int>(algorithm.half);
  const Signature signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(bare), half, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(bare) + half, half, nullptr);
  if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return "";
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  std::string text(reinterpret_cast<char*>(der), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(der);
  return text;
}

Result<std::string> bare_of(const Algorithm& algorithm, const std::string& der) {
  const int half = static_cast<int>(algorithm.half);
  const unsigned char* begin = bytes_of(der);
  const Signature signature(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
  std::string bytes(2 * algorithm.half, '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + half, half) != half) {
    return fail(Code::kInternal, "a token cannot be signed");
  }
  return bytes;
}

bool is_signed(const Algorithm& algorithm, const Key& key, std::string_view text, std::string_view signature) {
  const Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;
  const EVP_MD* hash = algorithm.hash ? algorithm.hash() : nullptr;
  if (!digest || EVP_DigestVerifyInit(digest.get(), &padding, hash, nullptr, key.handle.get()) != 1) return false;
  // RFC 7518 3.5: the salt is as long as the hash.
  if (algorithm.pss && (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) != 1 ||
                        EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
}

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kAlgorithms)> names;
  std::ranges::transform(kAlgorithms, names.begin(), &Algorithm::name);
  return names;
}();

}  // namespace

std::span<const std::string_view> algorithms() {
  return kNames;
}

bool verify(std::string_view algorithm, const Key& key, std::string_view text, std::string_view signature) {
  const Algorithm* known = find_algorithm(algorithm);
  if (!known || !suits(*known, key)) return false;
  const std::string der = known->half > 0 ? der_of(*known, signature) : std::string();
  if (known->half > 0 && der.empty()) return false;
  const bool good = is_signed(*known, key, text, known->half > 0 ? std::string_view(der) : signature);
  if (!good) ERR_clear_error();
  return good;
}

Result<std::string> sign_es256(const Key& key, std::string_view text) {
  const Algorithm& algorithm = *find_algorithm("ES256");
  if (!suits(algorithm, key)) return fail(Code::kInvalidArgument, "a key on P-256 is wanted");
  const Digest digest(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!digest || EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.handle.get()) != 1 ||
      EVP_DigestSign(digest.get(), nullptr, &size, bytes_of(text), text.size()) != 1) {
    return fail(Code::kInternal, "a token cannot be signed");
  }
  std::string der(size, '\0');
  if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(der.data()), &size, bytes_of(text), text.size()) !=
      1) {
    return fail(Code::kInternal, "a token cannot be signed");
  }
  der.resize(size);
  return bare_of(algorithm, der);
}

}  // namespace tiphys::jose

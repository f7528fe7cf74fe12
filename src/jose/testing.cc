#include "jose/testing.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>

#include "base/check.h"
#include "base/encoding.h"
#include "base/openssl.h"

namespace tiphys::jose {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

EVP_PKEY* generate(std::string_view algorithm) {
  if (algorithm == "EdDSA") return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  if (algorithm.starts_with("ES")) {
    return EVP_EC_gen(algorithm == "ES256" ? "P-256" : algorithm == "ES384" ? "P-384" : "P-521");
  }
  return EVP_RSA_gen(2048);
}

const EVP_MD* hash_of(std::string_view algorithm) {
  if (algorithm == "EdDSA") return nullptr;
  return algorithm.ends_with("256") ? EVP_sha256() : algorithm.ends_with("384") ? EVP_sha384() : EVP_sha512();
}

std::string number(EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* found = nullptr;
  TIPHYS_CHECK(EVP_PKEY_get_bn_param(key, name, &found) == 1, "the key has such a number");
  std::string bytes(size > 0 ? static_cast<std::size_t>(size) : static_cast<std::size_t>(BN_num_bytes(found)), '\0');
  BN_bn2binpad(found, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  BN_free(found);
  return encode_base64url(bytes);
}

std::string bare(const std::string& der, int half) {
  const unsigned char* begin = bytes_of(der);
  const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
  std::string bytes(static_cast<std::size_t>(2 * half), '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, half);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + half, half);
  return bytes;
}

int half_of(std::string_view algorithm) {
  return algorithm == "ES256" ? 32 : algorithm == "ES384" ? 48 : 66;
}

}  // namespace

TestKey::TestKey(std::string_view algorithm, std::string id)
    : algorithm_(algorithm), id_(std::move(id)), key_(generate(algorithm), EVP_PKEY_free) {
  TIPHYS_CHECK(key_, "a key can be made");
}

doc::Object TestKey::web_key(bool tells_algorithm) const {
  doc::Object key;
  if (algorithm_ == "EdDSA") {
    std::array<unsigned char, 32> bytes{};
    std::size_t size = bytes.size();
    EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size);
    key = {{"kty", "OKP"},
           {"crv", "Ed25519"},
           {"x", encode_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()})}};
  } else if (algorithm_.starts_with("ES")) {
    const int half = half_of(algorithm_);
    key = {{"kty", "EC"},
           {"crv", algorithm_ == "ES256"   ? "P-256"
                   : algorithm_ == "ES384" ? "P-384"
                                           : "P-521"},
           {"x", number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, half)},
           {"y", number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, half)}};
  } else {
    key = {{"kty", "RSA"},
           {"n", number(key_.get(), OSSL_PKEY_PARAM_RSA_N)},
           {"e", number(key_.get(), OSSL_PKEY_PARAM_RSA_E)}};
  }
  if (!id_.empty()) key["kid"] = id_;
  if (tells_algorithm) {
    key["alg"] = algorithm_;
    key["use"] = "sig";
  }
  return key;
}

std::string TestKey::sign(const doc::Value& claims) const {
  doc::Object header{{"alg", algorithm_}, {"typ", "JWT"}};
  if (!id_.empty()) header["kid"] = id_;
  return sign(header, claims);
}

std::string TestKey::sign(const doc::Object& header, const doc::Value& claims) const {
  const std::string text = encode_base64url(doc::to_json(header)) + "." + encode_base64url(doc::to_json(claims));
  return text + "." + encode_base64url(signature(text));
}

std::string TestKey::signature(std::string_view text) const {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;
  TIPHYS_CHECK(EVP_DigestSignInit(digest.get(), &padding, hash_of(algorithm_), nullptr, key_.get()) == 1, "it signs");
  if (algorithm_.starts_with("PS")) {
    EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t size = 1024;
  std::string made(size, '\0');
  TIPHYS_CHECK(EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(made.data()), &size, bytes_of(text),
                              text.size()) == 1,
               "it signs");
  made.resize(size);
  return algorithm_.starts_with("ES") ? bare(made, half_of(algorithm_)) : made;
}

std::string TestKey::public_pem() const {
  const Owned<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(bio.get(), key_.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

doc::Object web_key_set(const std::vector<const TestKey*>& keys) {
  doc::Array list;
  for (const TestKey* key : keys) list.emplace_back(key->web_key());
  return {{"keys", std::move(list)}};
}

std::string sign_hs256(std::string_view secret, const doc::Value& claims, std::string_view key_id) {
  const doc::Object header{{"alg", "HS256"}, {"typ", "JWT"}, {"kid", key_id}};
  const std::string text = encode_base64url(doc::to_json(header)) + "." + encode_base64url(doc::to_json(claims));
  std::array<unsigned char, 32> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(), mac.data(), &size);
  return text + "." + encode_base64url({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

}  // namespace tiphys::jose

#include "objects/service_tokens.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/release.h"
#include "base/strings.h"
#include "doc/value.h"

namespace tiphys::objects {
namespace {

using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;

constexpr int kHalf = 32;  ///< bytes of r and of s (RFC 7518 3.4)

std::string encode_url(std::string_view bytes) {
  std::string text = encode_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

Result<std::string> decode_url(std::string_view text) {
  std::string standard(text);
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  while (standard.size() % 4 != 0) standard += '=';
  return decode_base64(standard);
}

std::unexpected<Error> unknown_token() {
  return fail(Code::kUnauthenticated, "the token is none of this plane, or has expired");
}

std::int64_t seconds(Time at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

Time time_at(const doc::Value& claims, std::string_view name) {
  const doc::Value* found = doc::find(claims, name);
  return found && found->is_int64() ? Time(std::chrono::seconds(found->get_int64())) : Time{};
}

/// The DER form of OpenSSL as r and s beside each other.
Result<std::string> bare_signature(const std::string& der) {
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  const Signature signature(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
  std::string bytes(2 * kHalf, '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, kHalf) != kHalf ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + kHalf, kHalf) != kHalf) {
    return fail(Code::kInternal, "a token cannot be signed");
  }
  return bytes;
}

std::string der_signature(std::string_view bare) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(bare.data());
  const Signature signature(ECDSA_SIG_new());
  if (!signature || ECDSA_SIG_set0(signature.get(), BN_bin2bn(bytes, kHalf, nullptr),
                                   BN_bin2bn(bytes + kHalf, kHalf, nullptr)) != 1) {
    return "";
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  std::string text(reinterpret_cast<char*>(der), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(der);
  return text;
}

class JsonWebTokens final : public ServiceTokens {
 public:
  explicit JsonWebTokens(Key key) : key_(std::move(key)) {}

  Result<std::string> sign(const ServiceToken& token) const override {
    doc::Array audiences(token.audiences.begin(), token.audiences.end());
    if (audiences.empty()) audiences.emplace_back(kTokenIssuer);
    doc::Object bound{{"namespace", token.ns}};
    if (!token.pod_uid.empty()) bound["pod"] = doc::Object{{"name", token.pod_name}, {"uid", token.pod_uid}};
    bound["serviceaccount"] = doc::Object{{"name", token.name}, {"uid", token.uid}};
    const doc::Object claims{{"aud", std::move(audiences)},
                             {"exp", seconds(token.expires)},
                             {"iat", seconds(token.issued)},
                             {"iss", kTokenIssuer},
                             {"kubernetes.io", std::move(bound)},
                             {"nbf", seconds(token.issued)},
                             {"sub", fmt::format("system:serviceaccount:{}:{}", token.ns, token.name)}};
    std::string text = encode_url(R"({"alg":"ES256","typ":"JWT"})") + "." + encode_url(doc::to_json(claims));
    TIPHYS_TRY(const std::string signature, signature_of(text));
    return text + "." + encode_url(signature);
  }

  Result<ServiceToken> verify(std::string_view text, Time now) const override {
    const auto parts = split(text, '.');
    if (parts.size() != 3) return unknown_token();
    const auto signature = decode_url(parts[2]);
    const auto payload = decode_url(parts[1]);
    const std::string_view covered = text.substr(0, parts[0].size() + 1 + parts[1].size());
    if (!signature || !payload || signature->size() != 2 * kHalf || !is_signed(covered, *signature)) {
      return unknown_token();
    }
    const auto claims = doc::parse_json(*payload);
    if (!claims) return unknown_token();
    ServiceToken token{.ns = std::string(doc::find_string(*claims, "kubernetes.io", "namespace")),
                       .name = std::string(doc::find_string(*claims, "kubernetes.io", "serviceaccount", "name")),
                       .uid = std::string(doc::find_string(*claims, "kubernetes.io", "serviceaccount", "uid")),
                       .pod_name = std::string(doc::find_string(*claims, "kubernetes.io", "pod", "name")),
                       .pod_uid = std::string(doc::find_string(*claims, "kubernetes.io", "pod", "uid")),
                       .issued = time_at(*claims, "iat"),
                       .expires = time_at(*claims, "exp")};
    if (const doc::Value* audiences = doc::find(*claims, "aud"); audiences && audiences->is_array()) {
      for (const doc::Value& audience : audiences->get_array()) token.audiences.push_back(doc::scalar_text(audience));
    }
    if (token.expires <= now || token.name.empty()) return unknown_token();
    return token;
  }

 private:
  Result<std::string> signature_of(const std::string& text) const {
    const Digest digest(EVP_MD_CTX_new());
    std::size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    if (!digest || EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size()) != 1) {
      return fail(Code::kInternal, "a token cannot be signed");
    }
    std::string der(size, '\0');
    if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(der.data()), &size, bytes, text.size()) != 1) {
      return fail(Code::kInternal, "a token cannot be signed");
    }
    der.resize(size);
    return bare_signature(der);
  }

  bool is_signed(std::string_view text, std::string_view signature) const {
    const std::string der = der_signature(signature);
    const Digest digest(EVP_MD_CTX_new());
    return digest && EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                            reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  }

  Key key_;
};

}  // namespace

Result<std::unique_ptr<ServiceTokens>> ServiceTokens::make(std::string_view key) {
  const Bio bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  Key parsed(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!parsed || EVP_PKEY_get_base_id(parsed.get()) != EVP_PKEY_EC) {
    return fail(Code::kInvalidArgument, "the key that signs tokens is no EC private key in PEM");
  }
  return std::make_unique<JsonWebTokens>(std::move(parsed));
}

Result<std::string> make_signing_key() {
  const Key key(EVP_EC_gen("P-256"));
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!key || !bio || PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(Code::kInternal, "a key cannot be made");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace tiphys::objects

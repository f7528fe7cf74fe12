#include "jose/key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/encoding.h"
#include "base/openssl.h"

namespace tiphys::jose {
namespace {

using Bio = Owned<BIO, BIO_free_all>;
using Number = Owned<BIGNUM, BN_free>;
using Builder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Parameters = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using Context = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

constexpr int kLeastRsaBits = 2048;
/// What a key may cost whoever verifies with it.
constexpr int kMostRsaBits = 8192;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::shared_ptr<EVP_PKEY> share(EVP_PKEY* key) {
  return {key, EVP_PKEY_free};
}

std::unexpected<Error> no_key(std::string_view why) {
  return fail(Code::kInvalidArgument, std::string("a JSON Web Key ") + std::string(why));
}

Result<std::string> member(const doc::Value& key, std::string_view name) {
  const auto decoded = decode_base64url(doc::find_string(key, name));
  if (!decoded || decoded->empty()) return no_key("without " + std::string(name));
  return *decoded;
}

/// The key that a builder's parameters make; its point, if it has one, is on its curve.
Result<std::shared_ptr<EVP_PKEY>> make_key(const char* kind, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* made = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return no_key("that is none");
  }
  return share(made);
}

Result<std::shared_ptr<EVP_PKEY>> read_rsa(const doc::Value& key) {
  TIPHYS_TRY(const std::string modulus, member(key, "n"));
  TIPHYS_TRY(const std::string exponent, member(key, "e"));
  if (modulus.size() > kMostRsaBits / 8 || exponent.size() > 8) return no_key("that is too large");
  const Number n(BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr));
  const Number e(BN_bin2bn(bytes_of(exponent), static_cast<int>(exponent.size()), nullptr));
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return no_key("that cannot be read");
  }
  if (BN_num_bits(n.get()) < kLeastRsaBits) return no_key("of fewer than 2048 bits");
  return make_key("RSA", builder.get());
}

Result<std::shared_ptr<EVP_PKEY>> read_ec(const doc::Value& key) {
  constexpr struct {
    std::string_view name;
    std::size_t bytes;
  } kCurves[] = {{"P-256", 32}, {"P-384", 48}, {"P-521", 66}};
  const std::string curve(doc::find_string(key, "crv"));
  TIPHYS_TRY(const std::string x, member(key, "x"));
  TIPHYS_TRY(const std::string y, member(key, "y"));
  for (const auto& [name, bytes] : kCurves) {
    if (curve != name) continue;
    if (x.size() != bytes || y.size() != bytes) return no_key("whose coordinates are not of its curve");
    const std::string point = "\x04" + x + y;
    const Builder builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
      return no_key("that cannot be read");
    }
    return make_key("EC", builder.get());
  }
  return no_key("on an unknown curve");
}

Result<std::shared_ptr<EVP_PKEY>> read_okp(const doc::Value& key) {
  TIPHYS_TRY(const std::string x, member(key, "x"));
  if (doc::find_string(key, "crv") != "Ed25519") return no_key("on an unknown curve");
  auto made = share(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()));
  if (!made) return no_key("that is none");
  return made;
}

Result<std::shared_ptr<EVP_PKEY>> read_public_key(const doc::Value& key) {
  const std::string_view kind = doc::find_string(key, "kty");
  if (kind == "RSA") return read_rsa(key);
  if (kind == "EC") return read_ec(key);
  if (kind == "OKP") return read_okp(key);
  return no_key("of an unknown kind");
}

}  // namespace

Result<Key> read_private_key(std::string_view pem) {
  prepare_openssl();
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Nobody is asked for a passphrase.
  const auto none = [](char*, int, int, void*) { return -1; };
  auto handle = share(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, none, nullptr) : nullptr);
  if (!handle) return fail(Code::kInvalidArgument, "a private key in PEM is wanted");
  return Key{.handle = std::move(handle)};
}

Result<std::string> make_ec_key() {
  prepare_openssl();
  const auto key = share(EVP_EC_gen("P-256"));
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!key || !bio || PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(Code::kInternal, "a key cannot be made");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<Key> read_web_key(const doc::Value& key) {
  prepare_openssl();
  TIPHYS_TRY(auto handle, read_public_key(key));
  return Key{.handle = std::move(handle),
             .id = std::string(doc::find_string(key, "kid")),
             .algorithm = std::string(doc::find_string(key, "alg"))};
}

Result<std::vector<Key>> read_web_keys(const doc::Value& set) {
  const doc::Value* keys = doc::find(set, "keys");
  if (!keys || !keys->is_array()) return fail(Code::kInvalidArgument, "a JSON Web Key Set has no keys");
  std::vector<Key> found;
  for (const doc::Value& each : keys->get_array()) {
    const std::string_view use = doc::find_string(each, "use");
    if (!use.empty() && use != "sig") continue;
    // Keys of other kinds are for others.
    if (auto key = read_web_key(each); key && found.size() < kMostKeys) found.push_back(std::move(*key));
  }
  return found;
}

}  // namespace tiphys::jose

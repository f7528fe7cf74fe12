#include "expr/private_key.h"

#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "expr/pem.h"

namespace tiphys::expr {
namespace {

constexpr std::string_view kPrivateKey = "PRIVATE KEY";

struct Kind {
  int id;
  std::string_view name;  ///< before "PRIVATE KEY"
};
constexpr Kind kKinds[] = {{EVP_PKEY_RSA, "RSA"}, {EVP_PKEY_EC, "EC"}, {EVP_PKEY_DSA, "DSA"}};

std::unexpected<Error> invalid(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

Result<PrivateKey> made(EVP_PKEY* key) {
  if (!key) return fail(Code::kInternal, "OpenSSL cannot generate the key");
  return PrivateKey(key);
}

/// Calculations with larger keys take too long, and smaller ones protect nothing.
Status check_size(const PrivateKey& key) {
  const int bits = EVP_PKEY_get_bits(key.get());
  const int id = EVP_PKEY_get_base_id(key.get());
  if (id == EVP_PKEY_RSA && (bits < 1024 || bits > 8192)) {
    return invalid("RSA keys have from 1024 to 8192 bits, this one has " + std::to_string(bits));
  }
  if (id == EVP_PKEY_EC && bits > 521) {
    return invalid("keys on curves have at most 521 bits, this one has " + std::to_string(bits));
  }
  return {};
}

}  // namespace

Result<PrivateKey> generate_rsa_key(std::size_t bits) {
  prepare_openssl();
  return made(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits));
}

Result<PrivateKey> generate_dsa_key() {
  using Context = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
  prepare_openssl();
  const Context parameters_context(EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, nullptr));
  EVP_PKEY* parameters = nullptr;
  if (!parameters_context || EVP_PKEY_paramgen_init(parameters_context.get()) != 1 ||
      EVP_PKEY_CTX_set_dsa_paramgen_bits(parameters_context.get(), 2048) != 1 ||
      EVP_PKEY_CTX_set_dsa_paramgen_q_bits(parameters_context.get(), 256) != 1 ||
      EVP_PKEY_paramgen(parameters_context.get(), &parameters) != 1) {
    return made(nullptr);
  }
  const PrivateKey owned_parameters(parameters);
  const Context context(EVP_PKEY_CTX_new(parameters, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 || EVP_PKEY_keygen(context.get(), &key) != 1) {
    return made(nullptr);
  }
  return made(key);
}

Result<PrivateKey> generate_ecdsa_key() {
  prepare_openssl();
  return made(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
}

Result<PrivateKey> generate_ed25519_key() {
  prepare_openssl();
  return made(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

std::string private_key_text(const PrivateKey& key) {
  PemBlock block{.type = std::string(kPrivateKey), .bytes = ""};
  for (const auto& [id, name] : kKinds) {
    if (EVP_PKEY_get_base_id(key.get()) == id) block.type = std::string(name) + " " + block.type;
  }
  unsigned char* bytes = nullptr;
  if (const int size = i2d_PrivateKey(key.get(), &bytes); size > 0) {
    block.bytes.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
  OPENSSL_free(bytes);
  return pem_text(block);
}

Result<PrivateKey> parse_private_key(std::string_view text) {
  const auto block = first_pem_block(text);
  if (!block) return invalid("no PEM data in input");
  const auto* bytes = reinterpret_cast<const unsigned char*>(block->bytes.data());
  const auto size = static_cast<long>(block->bytes.size());
  if (block->type == kPrivateKey) {
    PrivateKey key(d2i_AutoPrivateKey(nullptr, &bytes, size));
    if (!key) return invalid("decoding PEM as PKCS#8: this is no such key");
    TIPHYS_CHECK_OK(check_size(key));
    return key;
  }
  if (!block->type.ends_with(kPrivateKey)) return invalid("no private key data in PEM block of type " + block->type);
  for (const auto& [id, name] : kKinds) {
    if (block->type != std::string(name) + " " + std::string(kPrivateKey)) continue;
    PrivateKey key(d2i_PrivateKey(id, nullptr, &bytes, size));
    if (!key) return invalid("parsing " + std::string(name) + " private key from PEM: this is no such key");
    TIPHYS_CHECK_OK(check_size(key));
    return key;
  }
  return invalid("invalid private key type " + block->type.substr(0, block->type.size() - kPrivateKey.size()));
}

}  // namespace tiphys::expr

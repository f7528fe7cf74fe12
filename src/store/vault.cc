#include "store/vault.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <charconv>
#include <memory>

#include "base/encoding.h"
#include "base/private_file.h"
#include "base/strings.h"

namespace tiphys::store {
namespace {

constexpr std::string_view kPrefix = "sealed:v1:";
constexpr std::size_t kKeyBytes = 32, kNonceBytes = 12, kTagBytes = 16, kIdDigits = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

Result<std::string> make_key() {
  std::string key(kKeyBytes, '\0');
  if (RAND_bytes(bytes(key), kKeyBytes) != 1) return fail(Code::kInternal, "no random bytes for a key");
  return encode_hex(key) + "\n";
}

Result<std::string> decode_hex(std::string_view digits) {
  if (digits.size() != 2 * kKeyBytes) return fail(Code::kInvalidArgument, "it has not 64 hexadecimal digits");
  std::string key;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    unsigned char value = 0;
    const auto [end, error] = std::from_chars(&digits[i], &digits[i] + 2, value, 16);
    if (error != std::errc() || end != &digits[i] + 2) return fail(Code::kInvalidArgument, "it is not hexadecimal");
    key += static_cast<char>(value);
  }
  return key;
}

std::string id_of(std::string_view key) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(bytes(key), key.size(), bytes(digest));
  return encode_hex(digest).substr(0, kIdDigits);
}

}  // namespace

Result<Vault::Key> Vault::key(bool make) {
  const std::lock_guard lock(mutex_);
  if (!key_.bytes.empty()) return key_;
  if (!make && ::access(key_path_.c_str(), F_OK) != 0) {
    return fail(Code::kFailedPrecondition,
                fmt::format("the store has sealed Secrets and their key, {}, is gone: put it back", key_path_));
  }
  TIPHYS_TRY(const std::string text, ensure_private_file(key_path_, make_key));
  auto read = decode_hex(trim(text));
  if (!read) return fail(Code::kFailedPrecondition, fmt::format("{} is no key: {}", key_path_, read.error().message));
  key_ = {.bytes = *read, .id = id_of(*read)};
  return key_;
}

Result<std::string> Vault::seal(std::string_view body, std::string_view uid) {
  TIPHYS_TRY(const Key used, key(true));
  std::string sealed(kNonceBytes + body.size() + kTagBytes, '\0');
  unsigned char* out = bytes(sealed);
  int length = 0;
  const Context context(EVP_CIPHER_CTX_new());
  const bool done =
      RAND_bytes(out, kNonceBytes) == 1 &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(used.bytes), out) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &length, bytes(uid), static_cast<int>(uid.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), out + kNonceBytes, &length, bytes(body), static_cast<int>(body.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), out + kNonceBytes + length, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out + kNonceBytes + body.size()) == 1;
  if (!done) return fail(Code::kInternal, "a Secret cannot be sealed");
  return fmt::format("{}{}:{}", kPrefix, used.id, encode_base64(sealed));
}

bool Vault::is_sealed(std::string_view body) {
  return body.starts_with(kPrefix);
}

Result<std::string> Vault::open(std::string_view body, std::string_view uid) {
  TIPHYS_TRY(const Key used, key(false));
  body.remove_prefix(kPrefix.size());
  const std::string_view id = body.substr(0, body.find(':'));
  if (id != used.id) {
    return fail(Code::kFailedPrecondition,
                fmt::format("a Secret is sealed with another key than {}: put back key {}", key_path_, id));
  }
  const auto damaged = [] { return fail(Code::kDataLoss, "a sealed Secret is damaged"); };
  if (id.size() == body.size()) return damaged();
  auto sealed = decode_base64(body.substr(id.size() + 1));
  if (!sealed || sealed->size() < kNonceBytes + kTagBytes) return damaged();
  const std::size_t size = sealed->size() - kNonceBytes - kTagBytes;
  std::string text(size, '\0');
  unsigned char* in = bytes(*sealed);
  int length = 0;
  const Context context(EVP_CIPHER_CTX_new());
  const bool done =
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(used.bytes), in) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &length, bytes(uid), static_cast<int>(uid.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes(text), &length, in + kNonceBytes, static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, in + kNonceBytes + size) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes(text) + length, &length) == 1;
  if (!done) return damaged();
  return text;
}

}  // namespace tiphys::store

// sprig's functions of passwords and ciphers. Salts and initial vectors are chance of who evaluates.
#include <crypt.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "base/encoding.h"
#include "base/openssl.h"
#include "expr/arguments.h"
#include "expr/chance.h"
#include "expr/go_text.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

constexpr std::size_t kLongestPassword = 72;
constexpr std::size_t kBlock = 16;

/// "$2a$10$", the salt and the hash. What cannot be hashed gives the error's text.
Result<std::string> bcrypt(std::string_view password, const Ambient& ambient) {
  constexpr std::string_view kAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  if (password.size() > kLongestPassword) {
    return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes";
  }
  if (password.find('\0') != std::string_view::npos)
    return bad_argument("a password with a zero byte cannot be hashed");
  // "2b" is what Go calculates under the name of "2a"; crypt's own "2a" protects bugs of old programs.
  std::string setting = "$2b$10$";
  Chance chance(*ambient.random);
  for (int i = 0; i < 21; ++i) setting += chance.letter(kAlphabet);
  setting += chance.letter(".Oeu");  // two bits
  const auto work = std::make_unique<crypt_data>();
  const char* hash = crypt_r(std::string(password).c_str(), setting.c_str(), work.get());
  if (!hash || hash[0] != '$') return fail(Code::kInternal, "the password cannot be hashed");
  std::string result = hash;
  result[2] = 'a';
  return result;
}

Value hash_password(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const auto password, text_or_empty(arguments, 0));
  TIPHYS_TRY(const std::string hash, bcrypt(password, ambient));
  return doc::Value(hash);
}

Value htpasswd(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const auto user, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto password, text_or_empty(arguments, 1));
  if (user.find(':') != std::string_view::npos) return doc::Value("invalid username: " + std::string(user));
  TIPHYS_TRY(const std::string hash, bcrypt(password, ambient));
  return doc::Value(std::string(user) + ":" + hash);
}

/// The original wants a uint32, which no value of an expression is.
Value derive_password(Arguments arguments) {
  return bad_argument("cannot use " + std::string(go_type(*arguments[0])) + " as argument (type uint32)");
}

using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

/// AES-256 in CBC mode. The password is the key, cut off or filled with zeros.
Result<std::string> run_aes(bool encrypt, std::string_view password, std::string_view vector, std::string_view input) {
  prepare_openssl();
  unsigned char key[32] = {};
  std::memcpy(key, password.data(), std::min(password.size(), sizeof key));
  const auto bytes = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::string output(input.size() + kBlock, '\0');
  auto* out = reinterpret_cast<unsigned char*>(output.data());
  int written = 0;
  int rest = 0;
  // What was decrypted with a wrong key has any padding: that is looked at later.
  if (!context ||
      EVP_CipherInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, key, bytes(vector), encrypt ? 1 : 0) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), encrypt ? 1 : 0) != 1 ||
      EVP_CipherUpdate(context.get(), out, &written, bytes(input), static_cast<int>(input.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), out + written, &rest) != 1) {
    return fail(Code::kInternal, "AES does not work");
  }
  output.resize(static_cast<std::size_t>(written) + static_cast<std::size_t>(rest));
  return output;
}

Value encrypt_aes(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const auto password, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  if (text.empty()) return doc::Value("");
  if (text.size() > kMostText) return fail(Code::kResourceExhausted, "memory budget exceeded");
  const std::string vector = Chance(*ambient.random).bytes(kBlock);
  TIPHYS_TRY(const std::string encrypted, run_aes(true, password, vector, text));
  return doc::Value(encode_base64(vector + encrypted));
}

Value decrypt_aes(Arguments arguments) {
  TIPHYS_TRY(const auto password, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto encoded, text_or_empty(arguments, 1));
  if (encoded.empty()) return doc::Value("");
  TIPHYS_TRY(const std::string encrypted, decode_base64(encoded));
  if (encrypted.size() > kMostText) return fail(Code::kResourceExhausted, "memory budget exceeded");
  if (encrypted.size() <= kBlock) return bad_argument("the text is too short to be an encrypted one");
  if (encrypted.size() % kBlock != 0) return bad_argument("crypto/cipher: input not full blocks");
  const std::string_view all = encrypted;
  TIPHYS_TRY(std::string text, run_aes(false, password, all.substr(0, kBlock), all.substr(kBlock)));
  const auto padding = static_cast<unsigned char>(text.back());
  if (padding > text.size()) return bad_argument("the text was encrypted with another password");
  text.resize(text.size() - padding);
  return doc::Value(text);
}

/// A hash takes some 50 ms: 40 of them are the most for one expression.
constexpr std::uint32_t kHashSteps = 100'000;

constexpr Function kFunctions[] = {
    {"bcrypt", 1, 1, nullptr, StaticKind::kUnknown, kHashSteps, hash_password},
    {"htpasswd", 2, 2, nullptr, StaticKind::kUnknown, kHashSteps, htpasswd},
    {"derivePassword", 5, 5, derive_password},
    {"encryptAES", 2, 2, nullptr, StaticKind::kUnknown, 0, encrypt_aes},
    {"decryptAES", 2, 2, decrypt_aes},
};

}  // namespace

std::span<const Function> sprig_crypto_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr

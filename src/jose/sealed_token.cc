#include "jose/sealed_token.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <zlib.h>

#include <array>

#include "base/encoding.h"
#include "base/openssl.h"
#include "base/strings.h"

namespace tiphys::jose {
namespace {

using Cipher = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr std::size_t kNonceBytes = 12;  ///< RFC 7518 5.3
constexpr std::size_t kTagBytes = 16;
constexpr int kRawDeflate = -15;
constexpr std::string_view kHeader = R"({"alg":"dir","enc":"A256GCM"})";
constexpr std::string_view kDeflatedHeader = R"({"alg":"dir","enc":"A256GCM","zip":"DEF"})";

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::unexpected<Error> unknown_token() {
  return fail(Code::kUnauthenticated, "the token is none of this plane, or has been damaged");
}

/// "" where it cannot be.
std::string deflate_text(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kRawDeflate, 8, Z_DEFAULT_STRATEGY) != Z_OK) return "";
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = const_cast<unsigned char*>(bytes_of(text));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = bytes_of(packed);
  stream.avail_out = static_cast<uInt>(packed.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  packed.resize(whole ? stream.total_out : 0);
  deflateEnd(&stream);
  return packed;
}

Result<std::string> inflate_text(std::string_view packed, std::size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, kRawDeflate) != Z_OK) return fail(Code::kInternal, "zlib has no memory");
  std::string text(most, '\0');
  stream.next_in = const_cast<unsigned char*>(bytes_of(packed));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = bytes_of(text);
  stream.avail_out = static_cast<uInt>(text.size());
  const bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END;
  text.resize(stream.total_out);
  inflateEnd(&stream);
  if (!whole) return unknown_token();
  return text;
}

struct Sealed {
  std::string text, tag;
};

Result<Sealed> encrypt(const std::string& key, const std::string& nonce, std::string_view header,
                       std::string_view plain) {
  const Cipher cipher(EVP_CIPHER_CTX_new());
  Sealed sealed{std::string(plain.size(), '\0'), std::string(kTagBytes, '\0')};
  int size = 0, last = 0;
  if (!cipher ||
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(std::string_view(key)),
                         bytes_of(std::string_view(nonce))) != 1 ||
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes_of(header), static_cast<int>(header.size())) != 1 ||
      EVP_EncryptUpdate(cipher.get(), bytes_of(sealed.text), &size, bytes_of(plain), static_cast<int>(plain.size())) !=
          1 ||
      EVP_EncryptFinal_ex(cipher.get(), bytes_of(sealed.text) + size, &last) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, sealed.tag.data()) != 1) {
    return fail(Code::kInternal, "a token cannot be sealed");
  }
  return sealed;
}

Result<std::string> decrypt(const std::string& key, const std::string& nonce, std::string_view header, Sealed sealed) {
  const Cipher cipher(EVP_CIPHER_CTX_new());
  std::string plain(sealed.text.size(), '\0');
  int size = 0, last = 0;
  if (!cipher ||
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(std::string_view(key)),
                         bytes_of(std::string_view(nonce))) != 1 ||
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes_of(header), static_cast<int>(header.size())) != 1 ||
      EVP_DecryptUpdate(cipher.get(), bytes_of(plain), &size, bytes_of(std::string_view(sealed.text)),
                        static_cast<int>(sealed.text.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, sealed.tag.data()) != 1 ||
      EVP_DecryptFinal_ex(cipher.get(), bytes_of(plain) + size, &last) != 1) {
    return unknown_token();
  }
  return plain;
}

}  // namespace

TokenSeal::TokenSeal(std::string_view secret) {
  prepare_openssl();
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(bytes_of(secret), secret.size(), hash.data());
  key_.assign(reinterpret_cast<const char*>(hash.data()), hash.size());
}

Result<std::string> TokenSeal::seal(const doc::Value& claims) const {
  std::string plain = doc::to_json(claims);
  std::string packed = deflate_text(plain);
  const bool deflated = !packed.empty() && packed.size() < plain.size();
  const std::string header = encode_base64url(deflated ? kDeflatedHeader : kHeader);
  std::string nonce(kNonceBytes, '\0');
  if (RAND_bytes(bytes_of(nonce), kNonceBytes) != 1) return fail(Code::kInternal, "there is no randomness");
  TIPHYS_TRY(const Sealed sealed, encrypt(key_, nonce, header, deflated ? packed : plain));
  return header + ".." + encode_base64url(nonce) + "." + encode_base64url(sealed.text) + "." +
         encode_base64url(sealed.tag);
}

Result<doc::Value> TokenSeal::open(std::string_view token) const {
  if (token.size() > kMostTokenBytes) return unknown_token();
  const auto parts = split(token, '.');
  if (parts.size() != 5 || !parts[1].empty()) return unknown_token();
  const auto header = decode_base64url(parts[0]), nonce = decode_base64url(parts[2]);
  auto text = decode_base64url(parts[3]), tag = decode_base64url(parts[4]);
  if (!header || !nonce || !text || !tag || nonce->size() != kNonceBytes || tag->size() != kTagBytes) {
    return unknown_token();
  }
  const auto head = doc::parse_json(*header);
  if (!head || doc::find_string(*head, "alg") != "dir" || doc::find_string(*head, "enc") != "A256GCM") {
    return unknown_token();
  }
  const std::string_view zip = doc::find_string(*head, "zip");
  if ((!zip.empty() && zip != "DEF") || doc::find(*head, "crit")) return unknown_token();
  TIPHYS_TRY(std::string plain, decrypt(key_, *nonce, parts[0], {std::move(*text), std::move(*tag)}));
  if (!zip.empty()) {
    TIPHYS_TRY(plain, inflate_text(plain, kMostClaimBytes));
  }
  auto claims = doc::parse_json(plain);
  if (!claims || !claims->is_object()) return unknown_token();
  return std::move(*claims);
}

}  // namespace tiphys::jose

// sprig's checksums and encodings of strings.
#include <openssl/evp.h>

#include <array>

#include "base/encoding.h"
#include "base/openssl.h"
#include "expr/arguments.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

template <std::string (*function)(std::string_view)>
Value of_text(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  return doc::Value(function(text));
}

template <const EVP_MD* (*algorithm)()>
Value digest(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  prepare_openssl();
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum;
  unsigned int size = 0;
  // Fetched once: OpenSSL looks for a provider each time that it gets the plain algorithm.
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, EVP_MD_get0_name(algorithm()), nullptr);
  const EVP_MD* const with = fetched ? fetched : algorithm();
  if (EVP_Digest(text.data(), text.size(), sum.data(), &size, with, nullptr) != 1) {
    return fail(Code::kInternal, "OpenSSL cannot calculate the checksum");
  }
  return doc::Value(encode_hex({reinterpret_cast<const char*>(sum.data()), size}));
}

std::string adler32(std::string_view text) {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char c : text) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return std::to_string((b << 16) | a);
}

/// What cannot be decoded gives the error's text.
std::string base64_decode(std::string_view text) {
  auto bytes = decode_base64(text);
  return bytes ? std::move(*bytes) : std::move(bytes.error().message);
}
std::string base32_decode(std::string_view text) {
  auto bytes = decode_base32(text);
  return bytes ? std::move(*bytes) : std::move(bytes.error().message);
}

constexpr Function kFunctions[] = {
    {"sha1sum", 1, 1, digest<EVP_sha1>},      {"sha256sum", 1, 1, digest<EVP_sha256>},
    {"sha512sum", 1, 1, digest<EVP_sha512>},  {"adler32sum", 1, 1, of_text<adler32>},
    {"b64enc", 1, 1, of_text<encode_base64>}, {"b64dec", 1, 1, of_text<base64_decode>},
    {"b32enc", 1, 1, of_text<encode_base32>}, {"b32dec", 1, 1, of_text<base32_decode>},
};

}  // namespace

std::span<const Function> sprig_hash_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr

#include "expr/pem.h"

#include <openssl/pem.h>

#include "base/encoding.h"
#include "base/openssl.h"
#include "expr/arguments.h"

namespace tiphys::expr {

std::string pem_text(const PemBlock& block) {
  constexpr std::size_t kWidth = 64;
  const std::string digits = encode_base64(block.bytes);
  std::string text = "-----BEGIN " + block.type + "-----\n";
  for (std::size_t i = 0; i < digits.size(); i += kWidth) text += digits.substr(i, kWidth) + '\n';
  return text + "-----END " + block.type + "-----\n";
}

std::optional<PemBlock> first_pem_block(std::string_view text) {
  if (text.size() > kMostText) return std::nullopt;
  prepare_openssl();
  const Owned<BIO, BIO_free_all> input(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  char* type = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;
  const bool found = input && PEM_read_bio(input.get(), &type, &header, &bytes, &size) == 1;
  std::optional<PemBlock> block;
  if (found) block = {type, std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size))};
  OPENSSL_free(type);
  OPENSSL_free(header);
  OPENSSL_free(bytes);
  return block;
}

}  // namespace tiphys::expr

#include "artifact/digest.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/check.h"
#include "base/openssl.h"
#include "base/unique_fd.h"

namespace tiphys::artifact {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

using Context = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

class Hash {
 public:
  explicit Hash(const EVP_MD* kind) {
    prepare_openssl();
    context_.reset(EVP_MD_CTX_new());
    TIPHYS_CHECK(context_ && EVP_DigestInit_ex(context_.get(), kind, nullptr) == 1, "OpenSSL has the hash");
  }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string end() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    return {reinterpret_cast<const char*>(digest.data()), size};
  }

 private:
  Context context_;
};

std::string hash(const EVP_MD* kind, std::string_view bytes) {
  Hash made(kind);
  made.add(bytes);
  return made.end();
}

std::string keyed(const EVP_MD* kind, std::string_view key, std::string_view bytes) {
  prepare_openssl();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(kind, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
       bytes.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

std::string sha256(std::string_view bytes) {
  return hash(EVP_sha256(), bytes);
}

std::string md5(std::string_view bytes) {
  return hash(EVP_md5(), bytes);
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  return keyed(EVP_sha256(), key, bytes);
}

std::string hmac_sha1(std::string_view key, std::string_view bytes) {
  return keyed(EVP_sha1(), key, bytes);
}

Result<std::string> rsa_sha256(std::string_view pem, std::string_view bytes) {
  prepare_openssl();
  const Owned<BIO, BIO_free> source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Without a question on the terminal: a key that needs a password is none.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const Owned<EVP_PKEY, EVP_PKEY_free> key(PEM_read_bio_PrivateKey(source.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
    return fail(Code::kInvalidArgument, "private key should be a PEM or plain PKCS1 or PKCS8");
  }
  const Context context(EVP_MD_CTX_new());
  std::string signature(static_cast<std::size_t>(EVP_PKEY_size(key.get())), '\0');
  std::size_t size = signature.size();
  const bool made = EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                                   reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == 1;
  ERR_clear_error();
  if (!made) return fail(Code::kInvalidArgument, "the private key cannot sign");
  signature.resize(size);
  return signature;
}

Result<std::string> sha256_of(const web::FilePart& part) {
  const UniqueFd file(::open(part.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno(part.path, errno);
  Hash made(EVP_sha256());
  std::string piece(kPieceBytes, '\0');
  for (std::uint64_t done = 0; done < part.size;) {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), part.size - done));
    const ssize_t count = ::pread(file.get(), piece.data(), most, static_cast<off_t>(part.offset + done));
    if (count < 0) return fail_errno(part.path, errno);
    if (count == 0) return fail(Code::kDataLoss, part.path + " has become shorter");
    made.add(std::string_view(piece).substr(0, static_cast<std::size_t>(count)));
    done += static_cast<std::uint64_t>(count);
  }
  return made.end();
}

}  // namespace tiphys::artifact

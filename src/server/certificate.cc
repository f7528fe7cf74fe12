#include "server/certificate.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/private_file.h"
#include "base/release.h"

namespace tiphys::server {
namespace {

constexpr auto kLifetime = std::chrono::hours(24 * 365 * 10);
constexpr auto kRenewal = std::chrono::hours(24 * 30);
constexpr int kSerialBytes = 16;

using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Release<X509_free>>;
using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;

std::unexpected<Error> openssl_error(std::string_view what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  return fail(Code::kInternal, fmt::format("{}: {}", what, text.data()));
}

Result<Key> make_key() {
  Key key(EVP_EC_gen("P-256"));
  if (!key) return openssl_error("a key cannot be made");
  return key;
}

bool add_extension(X509& certificate, X509& issuer, int what, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, what, value));
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

bool set_serial(X509& certificate) {
  std::array<unsigned char, kSerialBytes> bytes{};
  if (RAND_bytes(bytes.data(), kSerialBytes) != 1) return false;
  bytes[0] &= 0x7F;  // it is positive
  BIGNUM* number = BN_bin2bn(bytes.data(), kSerialBytes, nullptr);
  const bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(&certificate));
  BN_free(number);
  return set;
}

/// Without extensions and signature. Valid from an hour ago, for clocks that differ.
Result<X509Ptr> make_bare(EVP_PKEY& key, const char* name, Time now) {
  X509Ptr certificate(X509_new());
  if (!certificate) return openssl_error("a certificate cannot be made");
  const std::time_t begin = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(now - std::chrono::hours(1)));
  const std::time_t end = begin + std::chrono::duration_cast<std::chrono::seconds>(kLifetime).count();
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const bool made = X509_set_version(certificate.get(), X509_VERSION_3) == 1 && set_serial(*certificate) &&
                    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), begin) &&
                    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), end) &&
                    X509_set_pubkey(certificate.get(), &key) == 1 &&
                    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0) == 1;
  if (!made) return openssl_error("a certificate cannot be made");
  return certificate;
}

Result<X509Ptr> make_authority(EVP_PKEY& key, Time now) {
  TIPHYS_TRY(X509Ptr authority, make_bare(key, "tiphys", now));
  const bool made = X509_set_issuer_name(authority.get(), X509_get_subject_name(authority.get())) == 1 &&
                    add_extension(*authority, *authority, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(*authority, *authority, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(*authority, *authority, NID_subject_key_identifier, "hash") &&
                    X509_sign(authority.get(), &key, EVP_sha256()) > 0;
  if (!made) return openssl_error("a certificate authority cannot be made");
  return authority;
}

std::string names_of(const std::string& service_address) {
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1,IP:" + service_address;
  for (const std::string_view name : kServiceNames) names += fmt::format(",DNS:{}", name);
  return names;
}

Result<X509Ptr> make_leaf(EVP_PKEY& key, X509& authority, EVP_PKEY& authority_key, const std::string& service_address,
                          Time now) {
  TIPHYS_TRY(X509Ptr leaf, make_bare(key, "localhost", now));
  const bool made = X509_set_issuer_name(leaf.get(), X509_get_subject_name(&authority)) == 1 &&
                    add_extension(*leaf, authority, NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(*leaf, authority, NID_key_usage, "critical,digitalSignature") &&
                    add_extension(*leaf, authority, NID_ext_key_usage, "serverAuth") &&
                    add_extension(*leaf, authority, NID_subject_key_identifier, "hash") &&
                    add_extension(*leaf, authority, NID_authority_key_identifier, "keyid") &&
                    add_extension(*leaf, authority, NID_subject_alt_name, names_of(service_address).c_str()) &&
                    X509_sign(leaf.get(), &authority_key, EVP_sha256()) > 0;
  if (!made) return openssl_error("a certificate cannot be made");
  return leaf;
}

template <typename Write>
Result<std::string> pem(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || write(bio.get()) != 1) return openssl_error("a certificate cannot be written");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<Certificate> make_certificate(const std::string& service_address, Time now) {
  TIPHYS_TRY(const Key authority_key, make_key());
  TIPHYS_TRY(const X509Ptr authority, make_authority(*authority_key, now));
  TIPHYS_TRY(const Key key, make_key());
  TIPHYS_TRY(const X509Ptr leaf, make_leaf(*key, *authority, *authority_key, service_address, now));
  Certificate made;
  TIPHYS_TRY(made.authority, pem([&](BIO* to) { return PEM_write_bio_X509(to, authority.get()); }));
  TIPHYS_TRY(const std::string own, pem([&](BIO* to) { return PEM_write_bio_X509(to, leaf.get()); }));
  made.chain = own + made.authority;
  TIPHYS_TRY(made.key, pem([&](BIO* to) {
               return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
             }));
  return made;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The first of a PEM text; null when there is none.
X509Ptr read_first(const std::string& text) {
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  return X509Ptr(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

bool names(const std::string& text, const std::string& service_address) {
  const X509Ptr certificate = read_first(text);
  return certificate && X509_check_ip_asc(certificate.get(), service_address.c_str(), 0) == 1 &&
         X509_check_host(certificate.get(), kServiceNames.back().data(), kServiceNames.back().size(), 0, nullptr) == 1;
}

/// Whether the first certificate is good for a while yet.
bool lasts(const std::string& text, Time now) {
  const X509Ptr certificate = read_first(text);
  if (!certificate) return false;
  std::time_t later = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(now + kRenewal));
  return X509_cmp_time(X509_get0_notAfter(certificate.get()), &later) > 0;
}

/// RFC 7301: HTTP/2 where the client speaks it.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, size, kOurs, sizeof kOurs - 1, offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Result<Certificate> ensure_certificate(const std::string& folder, const std::string& service_address, Time now) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed || ::chmod(folder.c_str(), 0700) != 0) {
    return fail(Code::kInternal, fmt::format("{} cannot be made: {}", folder, failed.message()));
  }
  const std::string authority = folder + "/ca.crt", chain = folder + "/tls.crt", key = folder + "/tls.key";
  Certificate found{read_file(authority), read_file(chain), read_file(key)};
  if (lasts(found.authority, now) && lasts(found.chain, now) && names(found.chain, service_address) &&
      make_tls_context(found)) {
    return found;
  }
  TIPHYS_TRY(Certificate made, make_certificate(service_address, now));
  TIPHYS_CHECK_OK(write_private_file(key, made.key));
  TIPHYS_CHECK_OK(write_private_file(chain, made.chain));
  TIPHYS_CHECK_OK(write_private_file(authority, made.authority));
  return made;
}

Result<Certificate> read_certificate(const std::string& chain_path, const std::string& key_path) {
  Certificate found{.authority = "", .chain = read_file(chain_path), .key = read_file(key_path)};
  if (found.chain.empty()) return fail(Code::kInvalidArgument, chain_path + " cannot be read, or is empty");
  if (found.key.empty()) return fail(Code::kInvalidArgument, key_path + " cannot be read, or is empty");
  const X509Ptr certificate = read_first(found.chain);
  if (!certificate) return fail(Code::kInvalidArgument, chain_path + " holds no certificate in PEM");
  if (auto usable = make_tls_context(found); !usable) {
    return fail(Code::kInvalidArgument, fmt::format("{} and {}: {}", chain_path, key_path, usable.error().message));
  }
  // Nobody trusts one that signed itself, unless told to.
  if (X509_check_issued(certificate.get(), certificate.get()) == X509_V_OK) found.authority = found.chain;
  return found;
}

Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const Certificate& certificate) {
  namespace ssl = boost::asio::ssl;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code failed;
  context->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::single_dh_use, failed);
  if (!failed) context->use_certificate_chain(boost::asio::buffer(certificate.chain), failed);
  if (!failed) context->use_private_key(boost::asio::buffer(certificate.key), ssl::context::pem, failed);
  if (!failed && SSL_CTX_check_private_key(context->native_handle()) != 1) return openssl_error("the TLS certificate");
  // Most connections are idle: they keep no buffers.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context->native_handle(), choose_protocol, nullptr);
  if (failed)
    return fail(Code::kInvalidArgument, fmt::format("the TLS certificate cannot be used: {}", failed.message()));
  return context;
}

}  // namespace tiphys::server

#include "expr/certificate.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "expr/go_text.h"
#include "expr/go_time.h"
#include "expr/pem.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

/// What OpenSSL must not refuse is a matter of memory only.
std::unexpected<Error> failed(std::string_view what) {
  return fail(Code::kInternal, "OpenSSL cannot make the certificate's " + std::string(what));
}
std::unexpected<Error> invalid(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_printable_string(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x80 &&
           (is_letter(byte) || is_digit(byte) || std::string_view(" '()+,-./:=?").find(c) != std::string::npos);
  });
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    if (c.size == 1 && static_cast<unsigned char>(text[i]) >= 0x80) return false;
    i += c.size;
  }
  return true;
}

Status set_subject(X509& certificate, const std::string& common_name) {
  if (common_name.empty()) return {};
  if (!is_utf8(common_name)) return invalid("asn1: string not valid UTF-8");
  const int type = is_printable_string(common_name) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
  const int added = X509_NAME_add_entry_by_NID(X509_get_subject_name(&certificate), NID_commonName, type,
                                               bytes_of(common_name), static_cast<int>(common_name.size()), -1, 0);
  if (added != 1) return failed("subject");
  return {};
}

Status set_serial(X509& certificate, std::string_view serial) {
  const Owned<BIGNUM, BN_free> number(BN_bin2bn(bytes_of(serial), static_cast<int>(serial.size()), nullptr));
  if (!number || !BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate))) return failed("serial number");
  return {};
}

Status set_validity(X509& certificate, const GoTime& from, Duration valid_for) {
  if (!ASN1_TIME_set(X509_getm_notBefore(&certificate), from.seconds) ||
      !ASN1_TIME_set(X509_getm_notAfter(&certificate), add(from, valid_for).seconds)) {
    return failed("validity");
  }
  return {};
}

Status add_extension(X509& certificate, int nid, const char* value) {
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  if (!extension || X509_add_ext(&certificate, extension.get(), -1) != 1) return failed("extensions");
  return {};
}

Status add_extension(X509& certificate, int nid, void* value, bool critical) {
  if (X509_add1_ext_i2d(&certificate, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) != 1)
    return failed("extensions");
  return {};
}

using OctetString = Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

OctetString octets(const void* bytes, std::size_t size) {
  OctetString string(ASN1_OCTET_STRING_new());
  if (string &&
      ASN1_OCTET_STRING_set(string.get(), static_cast<const unsigned char*>(bytes), static_cast<int>(size)) != 1) {
    string.reset();
  }
  return string;
}

/// The first bytes of the public key's SHA-256.
Status add_key_id(X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (X509_pubkey_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) return failed("key id");
  const OctetString id = octets(digest.data(), 20);
  if (!id) return failed("key id");
  return add_extension(certificate, NID_subject_key_identifier, id.get(), false);
}

std::string_view name_bytes(const X509& certificate) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  X509_NAME_get0_der(X509_get_subject_name(&certificate), &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

Status add_issuer_key_id(X509& certificate, const X509& issuer) {
  const auto* id = X509_get0_subject_key_id(const_cast<X509*>(&issuer));  // it fills a cache
  if (!id || name_bytes(certificate) == name_bytes(issuer)) return {};
  const Owned<AUTHORITY_KEYID, AUTHORITY_KEYID_free> authority(AUTHORITY_KEYID_new());
  if (!authority) return failed("issuer");
  authority->keyid = ASN1_OCTET_STRING_dup(id);
  return add_extension(certificate, NID_authority_key_identifier, authority.get(), false);
}

using Names = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;

Status push_name(GENERAL_NAMES& names, int type, std::string_view bytes) {
  Owned<GENERAL_NAME, GENERAL_NAME_free> name(GENERAL_NAME_new());
  Owned<ASN1_STRING, ASN1_STRING_free> string(
      ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING));
  if (!name || !string || ASN1_STRING_set(string.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return failed("names");
  }
  GENERAL_NAME_set0_value(name.get(), type, string.release());
  if (sk_GENERAL_NAME_push(&names, name.get()) == 0) return failed("names");
  static_cast<void>(name.release());
  return {};
}

/// Four bytes, or 16.
Result<std::string> address_bytes(const std::string& text) {
  in6_addr address;
  in_addr old;
  const bool plain = text.find('\0') == std::string::npos;
  if (plain && inet_pton(AF_INET, text.c_str(), &old) == 1)
    return std::string(reinterpret_cast<char*>(&old), sizeof old);
  if (!plain || inet_pton(AF_INET6, text.c_str(), &address) != 1) return invalid("error parsing ip: " + text);
  const std::string bytes(reinterpret_cast<char*>(&address), sizeof address);
  return IN6_IS_ADDR_V4MAPPED(&address) ? bytes.substr(12) : bytes;
}

Status add_names(X509& certificate, const CertificateRequest& request) {
  if (request.hosts.empty() && request.addresses.empty()) return {};
  const Names names(GENERAL_NAMES_new());
  if (!names) return failed("names");
  for (const std::string& host : request.hosts) {
    const bool ascii = std::ranges::none_of(host, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (!ascii) {
      return invalid("error creating certificate: x509: " + go_quote(host) + " cannot be encoded as an IA5String");
    }
    TIPHYS_CHECK_OK(push_name(*names, GEN_DNS, host));
  }
  for (const std::string& address : request.addresses) {
    TIPHYS_TRY(const std::string bytes, address_bytes(address));
    TIPHYS_CHECK_OK(push_name(*names, GEN_IPADD, bytes));
  }
  return add_extension(certificate, NID_subject_alt_name, names.get(), request.common_name.empty());
}

Status add_extensions(X509& certificate, const CertificateRequest& request, const X509* issuer) {
  TIPHYS_CHECK_OK(add_extension(certificate, NID_key_usage,
                                request.authority ? "critical,digitalSignature,keyEncipherment,keyCertSign"
                                                  : "critical,digitalSignature,keyEncipherment"));
  TIPHYS_CHECK_OK(add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth"));
  TIPHYS_CHECK_OK(
      add_extension(certificate, NID_basic_constraints, request.authority ? "critical,CA:TRUE" : "critical,CA:FALSE"));
  if (request.authority) TIPHYS_CHECK_OK(add_key_id(certificate));
  if (issuer) TIPHYS_CHECK_OK(add_issuer_key_id(certificate, *issuer));
  return add_names(certificate, request);
}

/// The hash that suits the key; none for Ed25519, which has its own.
Result<const EVP_MD*> signature_hash(const PrivateKey& key) {
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA:
      return EVP_sha256();
    case EVP_PKEY_ED25519:
      return nullptr;
    case EVP_PKEY_EC: {
      const int bits = EVP_PKEY_get_bits(key.get());
      return bits > 384 ? EVP_sha512() : bits > 256 ? EVP_sha384() : EVP_sha256();
    }
    default:
      return invalid("error creating certificate: x509: certificate private key does not implement crypto.Signer");
  }
}

}  // namespace

Result<Certificate> make_certificate(const CertificateRequest& request, const PrivateKey& key, const X509* issuer,
                                     const PrivateKey& issuer_key) {
  TIPHYS_TRY(const EVP_MD* hash, signature_hash(issuer_key));
  if (!signature_hash(key)) return invalid("error creating certificate: x509: unsupported public key type");
  if (issuer && X509_check_private_key(issuer, issuer_key.get()) != 1) {
    return invalid("error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey");
  }
  Certificate certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(certificate.get(), key.get()) != 1) {
    return failed("key");
  }
  TIPHYS_CHECK_OK(set_serial(*certificate, request.serial));
  TIPHYS_CHECK_OK(set_validity(*certificate, from_time(request.from), request.valid_for));
  TIPHYS_CHECK_OK(set_subject(*certificate, request.common_name));
  X509_NAME* issuer_name = X509_get_subject_name(issuer ? issuer : certificate.get());
  if (X509_set_issuer_name(certificate.get(), issuer_name) != 1) return failed("issuer");
  TIPHYS_CHECK_OK(add_extensions(*certificate, request, issuer));
  if (X509_sign(certificate.get(), issuer_key.get(), hash) == 0) return failed("signature");
  return certificate;
}

std::string certificate_text(const Certificate& certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate.get(), &bytes);
  PemBlock block{.type = "CERTIFICATE", .bytes = ""};
  if (size > 0) block.bytes.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return pem_text(block);
}

Result<Certificate> parse_certificate(std::string_view text) {
  const auto block = first_pem_block(text);
  if (!block) return invalid("unable to decode certificate");
  const unsigned char* bytes = bytes_of(block->bytes);
  Certificate certificate(d2i_X509(nullptr, &bytes, static_cast<long>(block->bytes.size())));
  if (!certificate) return invalid("error parsing certificate: x509: malformed certificate");
  return certificate;
}

}  // namespace tiphys::expr

// sprig's functions of keys and certificates. Keys and signatures come from OpenSSL's own generator; only serial
// numbers are chance of who evaluates. A certificate is a map of Cert and Key, where the original has a struct.
#include <algorithm>

#include "base/encoding.h"
#include "expr/arguments.h"
#include "expr/certificate.h"
#include "expr/chance.h"
#include "expr/go_text.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

constexpr std::size_t kMostNames = 1000;
constexpr std::size_t kLongestName = 1000;  ///< bytes

doc::Value certificate_value(std::string_view certificate, std::string_view key) {
  return doc::Object{{"Cert", certificate}, {"Key", key}};
}

template <std::size_t bits>
Result<PrivateKey> rsa_key() {
  return generate_rsa_key(bits);
}

struct Generator {
  std::string_view kind;
  Result<PrivateKey> (*generate)();
};
constexpr Generator kGenerators[] = {
    {"", rsa_key<4096>},
    {"rsa", rsa_key<4096>},
    {"dsa", generate_dsa_key},
    {"ecdsa", generate_ecdsa_key},
    {"ed25519", generate_ed25519_key},
};

Value private_key(Arguments arguments) {
  TIPHYS_TRY(const auto kind, text_or_empty(arguments, 0));
  const auto* generator = std::ranges::find(kGenerators, kind, &Generator::kind);
  if (generator == std::end(kGenerators)) return doc::Value("Unknown type " + std::string(kind));
  TIPHYS_TRY(const PrivateKey key, generator->generate());
  return doc::Value(private_key_text(key));
}

/// The key of an argument.
Result<PrivateKey> key_argument(Arguments arguments, std::size_t index) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, index));
  auto key = parse_private_key(text);
  if (!key) return std::unexpected(key.error().in("parsing private key"));
  return key;
}

Result<std::vector<std::string>> names_argument(Arguments arguments, std::size_t index, std::string_view doing) {
  std::vector<std::string> names;
  if (arguments[index]->is_null()) return names;
  TIPHYS_TRY(const auto* array, array_argument(arguments, index));
  if (array->size() > kMostNames) return fail(Code::kResourceExhausted, "a certificate has at most 1000 names");
  for (const doc::Value& element : *array) {
    if (!element.is_string()) return bad_argument(std::string(doing) + ": " + go_text(element) + " is not a string");
    if (element.get_string().size() > kLongestName) return bad_argument("names have at most 1000 bytes");
    names.emplace_back(element.get_string());
  }
  return names;
}

/// The arguments that all certificates have: the common name first, the days at `days_index`.
Result<CertificateRequest> request_of(Arguments arguments, std::size_t days_index, const Ambient& ambient) {
  TIPHYS_TRY(const auto name, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto days, int_or_zero(arguments, days_index));
  if (name.size() > kLongestName) return bad_argument("names have at most 1000 bytes");
  constexpr std::uint64_t kDay = 24ull * 3600 * 1'000'000'000;
  return CertificateRequest{.common_name = std::string(name),
                            .addresses = {},
                            .hosts = {},
                            .from = ambient.now,
                            // Beyond 292 years it wraps, as Go's.
                            .valid_for = Duration(static_cast<std::int64_t>(static_cast<std::uint64_t>(days) * kDay)),
                            .serial = Chance(*ambient.random).bytes(16)};
}

Result<CertificateRequest> request_with_names(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(CertificateRequest request, request_of(arguments, 3, ambient));
  TIPHYS_TRY(request.addresses, names_argument(arguments, 1, "error parsing ip"));
  TIPHYS_TRY(request.hosts, names_argument(arguments, 2, "error processing alternate dns name"));
  return request;
}

Value signed_by_itself(const CertificateRequest& request, const PrivateKey& key) {
  TIPHYS_TRY(const Certificate certificate, make_certificate(request, key, nullptr, key));
  return certificate_value(certificate_text(certificate), private_key_text(key));
}

/// The functions that end in WithKey have the key as their last argument, the others make one.
template <bool with_key>
Result<PrivateKey> key_for(Arguments arguments) {
  if constexpr (with_key) return key_argument(arguments, arguments.size() - 1);
  return generate_rsa_key(2048);
}

template <bool with_key>
Value authority(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(CertificateRequest request, request_of(arguments, 1, ambient));
  request.authority = true;
  TIPHYS_TRY(const PrivateKey key, key_for<with_key>(arguments));
  return signed_by_itself(request, key);
}

template <bool with_key>
Value self_signed(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const CertificateRequest request, request_with_names(arguments, ambient));
  TIPHYS_TRY(const PrivateKey key, key_for<with_key>(arguments));
  return signed_by_itself(request, key);
}

Result<std::string_view> member(const doc::Object& certificate, std::string_view name) {
  const doc::Value* value = certificate.if_contains(name);
  if (!value || !value->is_string()) return bad_argument("an authority has a Cert and a Key, as genCA gives them");
  return std::string_view(value->get_string());
}

template <bool with_key>
Value signed_by_authority(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const CertificateRequest request, request_with_names(arguments, ambient));
  TIPHYS_TRY(const auto* signer, map_or_empty(arguments, 4));
  TIPHYS_TRY(const auto signer_text, member(*signer, "Cert"));
  TIPHYS_TRY(const auto signer_key_text, member(*signer, "Key"));
  TIPHYS_TRY(const Certificate issuer, parse_certificate(signer_text));
  const auto issuer_key = parse_private_key(signer_key_text);
  if (!issuer_key) return std::unexpected(issuer_key.error().in("error parsing private key"));
  TIPHYS_TRY(const PrivateKey key, key_for<with_key>(arguments));
  TIPHYS_TRY(const Certificate certificate, make_certificate(request, key, issuer.get(), *issuer_key));
  return certificate_value(certificate_text(certificate), private_key_text(key));
}

Value custom(Arguments arguments) {
  TIPHYS_TRY(const auto encoded_certificate, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto encoded_key, text_or_empty(arguments, 1));
  const auto certificate = decode_base64(encoded_certificate);
  if (!certificate) return bad_argument("unable to decode base64 certificate");
  const auto key = decode_base64(encoded_key);
  if (!key) return bad_argument("unable to decode base64 private key");
  TIPHYS_CHECK_OK(parse_certificate(*certificate));
  if (const auto parsed = parse_private_key(*key); !parsed) {
    return std::unexpected(parsed.error().in("error parsing private key"));
  }
  return certificate_value(*certificate, *key);
}

/// A key of 4096 bits takes seconds, one of 2048 some 200 ms, a signature a few.
constexpr std::uint32_t kKeySteps = 1'000'000;
constexpr std::uint32_t kCertificateSteps = 200'000;
constexpr std::uint32_t kSignatureSteps = 10'000;

constexpr Function kFunctions[] = {
    {"genPrivateKey", 1, 1, private_key, StaticKind::kUnknown, kKeySteps},
    {"buildCustomCert", 2, 2, custom},
    {"genCA", 2, 2, nullptr, StaticKind::kUnknown, kCertificateSteps, authority<false>},
    {"genCAWithKey", 3, 3, nullptr, StaticKind::kUnknown, kSignatureSteps, authority<true>},
    {"genSelfSignedCert", 4, 4, nullptr, StaticKind::kUnknown, kCertificateSteps, self_signed<false>},
    {"genSelfSignedCertWithKey", 5, 5, nullptr, StaticKind::kUnknown, kSignatureSteps, self_signed<true>},
    {"genSignedCert", 5, 5, nullptr, StaticKind::kUnknown, kCertificateSteps, signed_by_authority<false>},
    {"genSignedCertWithKey", 6, 6, nullptr, StaticKind::kUnknown, kSignatureSteps, signed_by_authority<true>},
};

}  // namespace

std::span<const Function> sprig_certificate_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr

#include "objects/service_tokens.h"

#include <fmt/format.h>

#include "doc/value.h"
#include "jose/algorithm.h"
#include "jose/signed_token.h"

namespace tiphys::objects {
namespace {

std::unexpected<Error> unknown_token() {
  return fail(Code::kUnauthenticated, "the token is none of this plane, or has expired");
}

class JsonWebTokens final : public ServiceTokens {
 public:
  explicit JsonWebTokens(jose::Key key) : key_(std::move(key)) {}

  Result<std::string> sign(const ServiceToken& token) const override {
    doc::Array audiences(token.audiences.begin(), token.audiences.end());
    if (audiences.empty()) audiences.emplace_back(kTokenIssuer);
    doc::Object bound{{"namespace", token.ns}};
    if (!token.pod_uid.empty()) bound["pod"] = doc::Object{{"name", token.pod_name}, {"uid", token.pod_uid}};
    bound["serviceaccount"] = doc::Object{{"name", token.name}, {"uid", token.uid}};
    const doc::Object claims{{"aud", std::move(audiences)},
                             {"exp", jose::numeric_date(token.expires)},
                             {"iat", jose::numeric_date(token.issued)},
                             {"iss", kTokenIssuer},
                             {"kubernetes.io", std::move(bound)},
                             {"nbf", jose::numeric_date(token.issued)},
                             {"sub", fmt::format("system:serviceaccount:{}:{}", token.ns, token.name)}};
    return jose::write_signed_token(claims, key_);
  }

  Result<ServiceToken> verify(std::string_view text, Time now) const override {
    const auto parsed = jose::parse_signed_token(text);
    if (!parsed || parsed->algorithm != kAlgorithm ||
        !jose::verify(kAlgorithm, key_, parsed->covered, parsed->signature)) {
      return unknown_token();
    }
    const doc::Value& claims = parsed->claims;
    ServiceToken token{.ns = std::string(doc::find_string(claims, "kubernetes.io", "namespace")),
                       .name = std::string(doc::find_string(claims, "kubernetes.io", "serviceaccount", "name")),
                       .uid = std::string(doc::find_string(claims, "kubernetes.io", "serviceaccount", "uid")),
                       .pod_name = std::string(doc::find_string(claims, "kubernetes.io", "pod", "name")),
                       .pod_uid = std::string(doc::find_string(claims, "kubernetes.io", "pod", "uid")),
                       .issued = jose::time_of(claims, "iat"),
                       .expires = jose::time_of(claims, "exp")};
    if (const doc::Value* audiences = doc::find(claims, "aud"); audiences && audiences->is_array()) {
      for (const doc::Value& audience : audiences->get_array()) token.audiences.push_back(doc::scalar_text(audience));
    }
    if (token.expires <= now || token.name.empty()) return unknown_token();
    return token;
  }

 private:
  static constexpr std::string_view kAlgorithm = "ES256";

  jose::Key key_;
};

}  // namespace

Result<std::unique_ptr<ServiceTokens>> ServiceTokens::make(std::string_view key) {
  auto parsed = jose::read_private_key(key);
  if (!parsed || !jose::sign_es256(*parsed, "")) {
    return fail(Code::kInvalidArgument, "the key that signs tokens is no EC private key on P-256 in PEM");
  }
  return std::make_unique<JsonWebTokens>(std::move(*parsed));
}

}  // namespace tiphys::objects

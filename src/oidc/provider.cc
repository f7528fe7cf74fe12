#include "oidc/provider.h"

#include <fmt/format.h>

#include <algorithm>

#include "jose/algorithm.h"

namespace tiphys::oidc {
namespace {

bool lists(const doc::Value& document, std::string_view member, std::string_view text) {
  const doc::Value* list = doc::find(document, member);
  if (!list || !list->is_array()) return false;
  return std::ranges::any_of(list->get_array(), [&](const doc::Value& each) {
    const auto* string = each.if_string();
    return string && std::string_view(*string) == text;
  });
}

Result<std::string> endpoint(const doc::Value& document, std::string_view name, std::string_view issuer) {
  const std::string url(doc::find_string(document, name));
  if (url.empty()) return fail(Code::kInvalidArgument, fmt::format("it has no {}", name));
  const bool plain = url.starts_with("http://") && !issuer.starts_with("https://");
  if (!plain && !url.starts_with("https://")) {
    return fail(Code::kInvalidArgument, fmt::format("its {} is no https URL", name));
  }
  return url;
}

}  // namespace

std::string discovery_url(std::string_view issuer) {
  while (issuer.ends_with('/')) issuer.remove_suffix(1);
  return fmt::format("{}/.well-known/openid-configuration", issuer);
}

Result<Provider> read_provider(const doc::Value& document, std::string_view issuer, std::string_view alias) {
  const std::string_view named = doc::find_string(document, "issuer");
  if (alias.empty() && named != issuer) {
    return fail(Code::kInvalidArgument,
                fmt::format("it is of the issuer \"{}\", not of \"{}\": set sso.issuer to what it says, or "
                            "sso.issuerAlias to whom tokens name",
                            named, issuer));
  }
  Provider provider{.issuer = std::string(alias.empty() ? issuer : alias)};
  TIPHYS_TRY(provider.authorization_endpoint, endpoint(document, "authorization_endpoint", issuer));
  TIPHYS_TRY(provider.token_endpoint, endpoint(document, "token_endpoint", issuer));
  TIPHYS_TRY(provider.keys_url, endpoint(document, "jwks_uri", issuer));
  for (const std::string_view algorithm : jose::algorithms()) {
    if (lists(document, "id_token_signing_alg_values_supported", algorithm))
      provider.algorithms.emplace_back(algorithm);
  }
  if (provider.algorithms.empty()) provider.algorithms.emplace_back("RS256");
  provider.proof_keys = lists(document, "code_challenge_methods_supported", "S256");
  constexpr std::string_view kMethods = "token_endpoint_auth_methods_supported";
  provider.secret_in_form =
      !lists(document, kMethods, "client_secret_basic") && lists(document, kMethods, "client_secret_post");
  return provider;
}

}  // namespace tiphys::oidc

// What an OpenID provider says of itself (OpenID Connect Discovery 1.0, RFC 8414).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "doc/value.h"

namespace tiphys::oidc {

struct Provider {
  std::string issuer;  ///< whom its ID tokens must name
  std::string authorization_endpoint{}, token_endpoint{}, keys_url{};
  std::vector<std::string> algorithms{};  ///< of its ID tokens, those that are known here; RS256 when it tells none
  bool proof_keys = false;                ///< it takes S256 (RFC 7636)
  bool secret_in_form = false;            ///< clients show their secret in the form and not by HTTP Basic
};

/// Where the document of an issuer is.
std::string discovery_url(std::string_view issuer);

/// `issuer` must be the one that the document names, unless an `alias` says what tokens name instead: some providers
/// are found at another URL. Endpoints of an https issuer must be https. kInvalidArgument: what is wrong with it.
Result<Provider> read_provider(const doc::Value& document, std::string_view issuer, std::string_view alias);

}  // namespace tiphys::oidc

#include "oidc/id_token.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/secret.h"
#include "jose/algorithm.h"
#include "jose/signed_token.h"

namespace tiphys::oidc {
namespace {

/// Of clocks, as go-oidc has it; an end is an end.
constexpr std::chrono::minutes kNotBeforeLeeway(5);

std::unexpected<Error> refuse(std::string_view why) {
  return fail(Code::kUnauthenticated, fmt::format("the ID token {}", why));
}

/// Google names itself without a scheme, too.
bool is_issuer(std::string_view named, std::string_view expected) {
  return named == expected || (expected == "https://accounts.google.com" && named == "accounts.google.com");
}

bool is_for(const doc::Value& claims, std::string_view client) {
  const doc::Value* audience = doc::find(claims, "aud");
  const auto names = [&](const doc::Value& each) {
    const auto* text = each.if_string();
    return text && std::string_view(*text) == client;
  };
  if (!audience) return false;
  return audience->is_array() ? std::ranges::any_of(audience->get_array(), names) : names(*audience);
}

Status check_claims(const doc::Value& claims, const Expected& expected, Time now) {
  const std::string_view issuer = doc::find_string(claims, "iss");
  if (!is_issuer(issuer, expected.issuer)) {
    return refuse(fmt::format("is of \"{}\", not of \"{}\"", issuer, expected.issuer));
  }
  if (!is_for(claims, expected.client_id)) return refuse("is for another client");
  if (doc::find_string(claims, "sub").empty()) return refuse("names nobody");
  const Time expires = jose::time_of(claims, "exp");
  if (expires <= now) {
    return refuse(fmt::format("expired at {}; look at the clocks of both machines", format_rfc3339(expires)));
  }
  if (jose::time_of(claims, "nbf") > now + kNotBeforeLeeway) return refuse("does not hold yet");
  if (expected.nonce.empty() || !same_secret(doc::find_string(claims, "nonce"), expected.nonce)) {
    return refuse("answers another request: its nonce differs");
  }
  return {};
}

}  // namespace

Result<doc::Value> verify_id_token(std::string_view text, std::span<const jose::Key> keys, const Expected& expected,
                                   Time now) {
  if (text.size() > kMostIdTokenBytes) return refuse("is too long");
  auto token = jose::parse_signed_token(text);
  if (!token) return refuse("cannot be read: " + token.error().message);
  if (std::ranges::find(expected.algorithms, token->algorithm) == expected.algorithms.end()) {
    return refuse(fmt::format("is signed by \"{}\", which is none of its provider's algorithms", token->algorithm));
  }
  TIPHYS_CHECK_OK(check_claims(token->claims, expected, now));
  const bool good = std::ranges::any_of(keys, [&](const jose::Key& key) {
    return (token->key_id.empty() || token->key_id == key.id) &&
           jose::verify(token->algorithm, key, token->covered, token->signature);
  });
  if (!good) return fail(Code::kNotFound, "the ID token is signed by none of its provider's keys");
  return std::move(token->claims);
}

}  // namespace tiphys::oidc

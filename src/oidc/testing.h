// A provider for tests: it answers requests at once, by what it is told.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "doc/value.h"
#include "jose/testing.h"
#include "web/http_client.h"

namespace tiphys::oidc {

class FakeProvider final : public web::HttpClient {
 public:
  static constexpr const char* kIssuer = "https://id.example.com/realm";
  static constexpr const char* kClient = "the-client";

  explicit FakeProvider(Executor& executor) : executor_(executor) {}

  /// What ID tokens say unless `claims` says otherwise: for the client, an hour long, of "ann".
  doc::Object claims(Time now) const;

  doc::Object document{{"issuer", kIssuer},
                       {"authorization_endpoint", "https://id.example.com/auth"},
                       {"token_endpoint", "https://id.example.com/token"},
                       {"jwks_uri", "https://id.example.com/keys"},
                       {"id_token_signing_alg_values_supported", doc::Array{"RS256", "ES256", "HS256", "none"}},
                       {"code_challenge_methods_supported", doc::Array{"plain", "S256"}}};
  std::vector<const jose::TestKey*> keys;
  /// The ID token for the next code; "": it answers without one.
  std::string id_token;
  doc::Value userinfo = doc::Object{};
  std::map<std::string, int> codes;  ///< by the end of a URL: what it answers in place of 200
  std::vector<web::HttpRequest> requests;
  bool silent = false;  ///< nothing is answered

  std::unique_ptr<web::HttpCall> send(web::HttpRequest request, Done done) override;
  /// How often something that ends so was asked for.
  std::size_t asked(std::string_view end) const;

 private:
  web::HttpAnswer answer(const web::HttpRequest& request) const;

  Executor& executor_;
};

}  // namespace tiphys::oidc

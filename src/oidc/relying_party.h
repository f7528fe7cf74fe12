// Asks a provider who somebody is. Everything is asynchronous, on the executor's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "oidc/id_token.h"
#include "oidc/provider.h"
#include "web/http_client.h"

namespace tiphys::oidc {

struct RelyingPartyOptions {
  std::string issuer, issuer_alias;
  std::vector<std::string> scopes;     ///< beside "openid"
  bool insecure = false;               ///< the provider's certificate is not looked at
  std::string trusted_certificates{};  ///< PEM, in place of what the system trusts; "": that
};

/// Who this program is to the provider.
struct Client {
  std::string id, secret;
};

/// One sign-in, as both halves of it know it.
struct SignIn {
  std::string redirect_uri, state, nonce;
  std::string verifier;  ///< of a proof key
};

/// Who has signed in.
struct Identity {
  doc::Value claims;         ///< of the ID token, which is good
  std::string access_token;  ///< for what else the provider tells
};

class RelyingParty {
 public:
  template <typename T>
  using Done = std::move_only_function<void(Result<T>)>;

  /// Both outlive it. Nothing is asked before the first sign-in.
  RelyingParty(Executor& executor, web::HttpClient& http, RelyingPartyOptions options)
      : executor_(executor), http_(http), options_(std::move(options)) {}

  /// Where a browser is to be sent to sign in.
  void authorization_url(const Client& client, const SignIn& sign_in, Done<std::string> done);
  /// What a code that a browser has come back with stands for. kUnauthenticated: the provider does not take it, or its
  /// answer is not good; kUnavailable: it does not answer.
  void redeem(Client client, SignIn sign_in, std::string code, Done<Identity> done);
  /// What is found at a path below the issuer's URL with an access token: a JSON document.
  void get(std::string_view path, const std::string& access_token, Done<doc::Value> done);

 private:
  struct Redeeming;

  /// A JSON document of an answer 200; another code is kUnauthenticated or kUnavailable.
  void ask(web::HttpRequest request, std::string_view what, Done<doc::Value> done);
  void with_provider(Done<std::shared_ptr<const Provider>> done);
  void with_new_keys(const Provider& provider, Done<void> done);
  void take_tokens(std::shared_ptr<Redeeming> redeeming, const doc::Value& answer);
  void verify(std::shared_ptr<Redeeming> redeeming, bool with_newest_keys);

  Executor& executor_;
  web::HttpClient& http_;
  RelyingPartyOptions options_;
  std::shared_ptr<const Provider> provider_;  ///< null until it has been asked
  std::vector<jose::Key> keys_;
  std::uint64_t last_call_ = 0;
  std::map<std::uint64_t, std::unique_ptr<web::HttpCall>> calls_;
};

}  // namespace tiphys::oidc

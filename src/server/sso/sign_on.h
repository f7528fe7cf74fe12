// Single sign-on: people sign in at an OpenID provider and get a session, which their browser shows as a cookie and
// other clients as a token. Original: server/auth/sso, server/auth/gatekeeper.go.
//
//   GET  /oauth2/redirect?redirect=PATH    to the provider
//   GET  /oauth2/callback?code=&state=     back from it: the cookie `authorization`, and on to PATH
//   POST /oauth2/logout                    takes the cookie away (not the original's, whose cookie scripts can read)
//
// A sign-in under way is known by a cookie of its own alone, sealed: what it was asked by (state), the provider's
// answer to it (nonce) and who may redeem the code (proof key) are bound to one browser, and nothing is kept for who
// never comes back.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "api/sso_config.h"
#include "jose/sealed_token.h"
#include "oidc/relying_party.h"
#include "server/server_account.h"
#include "server/sso/account_rules.h"
#include "server/sso/person.h"

namespace tiphys::server {

struct SignOnOptions {
  api::SsoConfig config;
  std::string base_path = "/";  ///< at which browsers find this server (base_path.h)
  std::string ns;               ///< of its Secrets, and of the accounts whose rules say who may sign in
  bool secure = true;           ///< browsers reach it by TLS
  bool delegates = false;       ///< rules of accounts in a request's namespace count, too
};

/// What a sign-in brings a browser.
struct SignedIn {
  std::string session;  ///< "Bearer v2:..."
  std::string location;
};

/// Where a browser goes to sign in, and what it keeps for when it comes back.
struct SignInBegun {
  std::string location;
  std::string state, kept;
};

class SignOn {
 public:
  template <typename T>
  using Done = std::move_only_function<void(Result<T>)>;

  /// Makes the key of sessions, in the Secret `sso`, when there is none: who deletes it, and restarts the server, ends
  /// them all. All outlive it. kInvalidArgument: what the configuration lacks.
  static Result<std::unique_ptr<SignOn>> start(Executor& executor, store::Store& store, web::HttpClient& http,
                                               const ServerAccount& account, SignOnOptions options);

  bool asks_rules() const { return options_.config.rbac.enabled; }
  bool is_secure() const { return options_.secure; }
  /// Of this server's pages and cookies.
  const std::string& base_path() const { return options_.base_path; }
  Duration session_life() const { return options_.config.session_expiry; }

  /// `wanted` is where the browser wants to go at last; `host` is the request's.
  void begin(std::string_view wanted, std::string_view host, Done<SignInBegun> done);
  /// `kept` is what begin() gave for this state. kInvalidArgument: not this browser's sign-in, too late, or once more;
  /// kUnauthenticated: the provider or its answer is not good; others: what fails here.
  void finish(std::string_view state, std::string_view kept, std::string code, Done<SignedIn> done);

  /// Of a session: somebody who may do nothing yet. kUnauthenticated: it is none of this plane, or over.
  Result<std::shared_ptr<const objects::Caller>> admit(std::string_view authorization) const;
  /// The same with the rights of an account, for a request that is for this namespace; "": for none. 403: no rule
  /// holds.
  objects::Outcome<std::shared_ptr<const objects::Caller>> with_account(const objects::Caller& caller,
                                                                        std::string_view ns) const;

 private:
  SignOn(Executor& executor, store::Store& store, web::HttpClient& http, const ServerAccount& account,
         SignOnOptions options, std::string_view secret);

  Result<oidc::Client> client() const;
  /// False when it has been there before.
  bool use_once(std::string_view state);
  void end(const oidc::Identity& identity, const std::string& location, Done<SignedIn> done);
  Result<SignedIn> session_of(const oidc::Identity& identity, const doc::Value& userinfo, std::string location) const;

  Executor& executor_;
  store::Store& store_;
  const ServerAccount& account_;
  SignOnOptions options_;
  jose::TokenSeal sessions_, sign_ins_;
  std::unique_ptr<AccountRules> rules_;
  std::map<std::string, Time, std::less<>> used_;  ///< states, and when nobody takes them any more
  oidc::RelyingParty provider_;
};

}  // namespace tiphys::server

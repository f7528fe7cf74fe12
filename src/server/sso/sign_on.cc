#include "server/sso/sign_on.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/log.h"
#include "base/secret.h"
#include "jose/signed_token.h"
#include "oidc/pkce.h"
#include "server/auth_mode.h"
#include "server/sso/final_location.h"
#include "store/secret_value.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kDefaultNamespace = "default";
constexpr const char* kSecret = "sso";
constexpr const char* kSecretKey = "cookieEncryptionPrivateKey";
/// As long as somebody may take to sign in at the provider.
constexpr std::chrono::minutes kSignInLife(10);
constexpr std::size_t kMostUsedStates = 10'000;
/// Browsers drop larger cookies without a word.
constexpr std::size_t kMostCookieBytes = 4096 - 128;

/// The secret that sessions are sealed with.
Result<std::string> ensure_secret(store::Store& store, const std::string& ns) {
  TIPHYS_TRY(const cluster::Object there, store.newest({&cluster::kSecrets, ns, kSecret}));
  if (there) {
    auto value = store::secret_value(store, ns, kSecret, kSecretKey);
    if (value && !value->empty()) return value;
    return fail(Code::kFailedPrecondition,
                fmt::format("the secret {} in the namespace {} has no {}: delete it, and start again", kSecret, ns,
                            kSecretKey));
  }
  TIPHYS_TRY(const cluster::Object where, store.newest({&cluster::kNamespaces, "", ns}));
  // A new plane is about to make this one.
  if (!where && ns != kDefaultNamespace)
    return fail(Code::kInvalidArgument, fmt::format("the server's namespace {} does not exist", ns));
  std::string made = oidc::random_text();
  store.create(cluster::kSecrets,
               doc::Object{{"apiVersion", "v1"},
                           {"kind", "Secret"},
                           {"metadata", doc::Object{{"name", kSecret}, {"namespace", ns}}},
                           {"type", "Opaque"},
                           {"data", doc::Object{{kSecretKey, encode_base64(made)}}}},
               [](const Result<cluster::Object>& created) {
                 if (!created) log::error("sso: sessions end with this server: {}", created.error().message);
               });
  return made;
}

Status check(const api::SsoConfig& config) {
  const auto empty = [](std::string_view field) {
    return fail(Code::kInvalidArgument,
                fmt::format("--auth-mode sso: sso.{} is empty in the configuration (--config)", field));
  };
  if (config.issuer.empty()) return empty("issuer");
  if (config.client_id.name.empty() || config.client_id.key.empty()) return empty("clientId");
  if (config.client_secret.name.empty() || config.client_secret.key.empty()) return empty("clientSecret");
  return {};
}

oidc::RelyingPartyOptions party_options(const api::SsoConfig& config) {
  return {.issuer = config.issuer,
          .issuer_alias = config.issuer_alias,
          .scopes = config.scopes,
          .insecure = config.insecure_skip_verify,
          .trusted_certificates = config.root_ca};
}

}  // namespace

Result<std::unique_ptr<SignOn>> SignOn::start(Executor& executor, store::Store& store, web::HttpClient& http,
                                              const ServerAccount& account, SignOnOptions options) {
  TIPHYS_CHECK_OK(check(options.config));
  auto secret = ensure_secret(store, options.ns);
  if (!secret) return std::unexpected(secret.error().in("--auth-mode sso"));
  std::unique_ptr<SignOn> made(new SignOn(executor, store, http, account, std::move(options), *secret));
  TIPHYS_TRY(made->rules_, AccountRules::start(executor, store));
  return made;
}

SignOn::SignOn(Executor& executor, store::Store& store, web::HttpClient& http, const ServerAccount& account,
               SignOnOptions options, std::string_view secret)
    : executor_(executor),
      store_(store),
      account_(account),
      options_(std::move(options)),
      sessions_(secret),
      sign_ins_(fmt::format("{} sign-in", secret)),
      provider_(executor, http, party_options(options_.config)) {}

Result<oidc::Client> SignOn::client() const {
  oidc::Client client;
  const auto& [id, secret] = std::tie(options_.config.client_id, options_.config.client_secret);
  TIPHYS_TRY(client.id, store::secret_value(store_, options_.ns, id.name, id.key));
  TIPHYS_TRY(client.secret, store::secret_value(store_, options_.ns, secret.name, secret.key));
  return client;
}

void SignOn::begin(std::string_view wanted, std::string_view host, Done<SignInBegun> done) {
  const auto client = this->client();
  if (!client) return done(std::unexpected(client.error()));
  std::string redirect_uri = options_.config.redirect_url;
  if (redirect_uri.empty()) {
    redirect_uri = fmt::format("{}://{}{}oauth2/callback", is_secure() ? "https" : "http", host, base_path());
  }
  const oidc::SignIn sign_in{.redirect_uri = std::move(redirect_uri),
                             .state = oidc::random_text(),
                             .nonce = oidc::random_text(),
                             .verifier = oidc::random_text()};
  const auto kept = sign_ins_.seal(doc::Object{{"state", sign_in.state},
                                               {"nonce", sign_in.nonce},
                                               {"verifier", sign_in.verifier},
                                               {"redirect_uri", sign_in.redirect_uri},
                                               {"location", final_location(wanted, base_path())},
                                               {"exp", jose::numeric_date(executor_.now() + kSignInLife)}});
  if (!kept) return done(std::unexpected(kept.error()));
  provider_.authorization_url(
      *client, sign_in, [state = sign_in.state, kept = *kept, done = std::move(done)](Result<std::string> url) mutable {
        if (!url) return done(std::unexpected(std::move(url.error())));
        done(SignInBegun{.location = std::move(*url), .state = state, .kept = kept});
      });
}

void SignOn::finish(std::string_view state, std::string_view kept, std::string code, Done<SignedIn> done) {
  const auto opened = sign_ins_.open(kept);
  const auto text = [&](std::string_view name) { return std::string(doc::find_string(*opened, name)); };
  if (!opened || state.empty() || !same_secret(state, text("state")) ||
      jose::time_of(*opened, "exp") <= executor_.now()) {
    return done(fail(Code::kInvalidArgument, "this sign-in has not been begun in this browser, or too long ago"));
  }
  if (code.empty()) return done(fail(Code::kInvalidArgument, "there is no code"));
  if (!use_once(state)) return done(fail(Code::kInvalidArgument, "this sign-in has been finished before"));
  auto client = this->client();
  if (!client) return done(std::unexpected(std::move(client.error())));
  const oidc::SignIn sign_in{.redirect_uri = text("redirect_uri"),
                             .state = std::string(state),
                             .nonce = text("nonce"),
                             .verifier = text("verifier")};
  provider_.redeem(
      std::move(*client), sign_in, std::move(code),
      [this, location = text("location"), done = std::move(done)](Result<oidc::Identity> identity) mutable {
        if (!identity) return done(std::unexpected(std::move(identity.error())));
        end(*identity, location, std::move(done));
      });
}

bool SignOn::use_once(std::string_view state) {
  const Time now = executor_.now();
  std::erase_if(used_, [&](const auto& each) { return each.second <= now; });
  // Beyond the bound the provider alone sees to it: a code is good for one time.
  if (used_.size() >= kMostUsedStates) used_.erase(used_.begin());
  return used_.emplace(state, now + kSignInLife).second;
}

void SignOn::end(const oidc::Identity& identity, const std::string& location, Done<SignedIn> done) {
  const std::string& path = options_.config.user_info_path;
  if (path.empty()) return done(session_of(identity, nullptr, location));
  provider_.get(path, identity.access_token,
                [this, identity, location, done = std::move(done)](Result<doc::Value> userinfo) mutable {
                  if (!userinfo) return done(std::unexpected(std::move(userinfo.error())));
                  if (!userinfo->is_object()) return done(fail(Code::kUnauthenticated, "userinfo is no object"));
                  // OpenID Connect Core 5.3.2: else a token of somebody else could have been slipped in.
                  const std::string_view subject = doc::find_string(*userinfo, "sub");
                  if (!subject.empty() && subject != doc::find_string(identity.claims, "sub")) {
                    return done(fail(Code::kUnauthenticated, "userinfo is of another subject than the ID token"));
                  }
                  done(session_of(identity, *userinfo, location));
                });
}

Result<SignedIn> SignOn::session_of(const oidc::Identity& identity, const doc::Value& userinfo,
                                    std::string location) const {
  auto person = read_person(identity.claims, userinfo, options_.config);
  if (!person) return fail(Code::kUnauthenticated, std::move(person.error().message));
  const Time expires = executor_.now() + options_.config.session_expiry;
  TIPHYS_TRY(const std::string sealed, sessions_.seal(session_claims(*person, expires)));
  SignedIn made{.session = fmt::format("{}{}", kSessionPrefix, sealed), .location = std::move(location)};
  if (made.session.size() > kMostCookieBytes) {
    return fail(Code::kFailedPrecondition,
                fmt::format("the session of {} would be a cookie of more than 4 KB, with {} groups: leave some out by "
                            "sso.filterGroupsRegex",
                            person->subject, person->groups.size()));
  }
  log::info("sso: {} ({}) has signed in", person->subject, person->email);
  return made;
}

Result<std::shared_ptr<const objects::Caller>> SignOn::admit(std::string_view authorization) const {
  if (!authorization.starts_with(kSessionPrefix)) return fail(Code::kUnauthenticated, "it is no session");
  TIPHYS_TRY(const doc::Value claims, sessions_.open(authorization.substr(kSessionPrefix.size())));
  if (doc::find_string(claims, "iss") != kSessionIssuer || jose::time_of(claims, "exp") <= executor_.now()) {
    return fail(Code::kUnauthenticated, "the session is over: sign in again");
  }
  auto person = std::make_shared<objects::Person>(person_of_session(claims));
  // Under a name that no binding can mean.
  auto caller = std::make_shared<objects::Caller>(
      objects::Caller{.name = "sso:" + person->subject, .groups = {"system:unauthenticated"}});
  if (!person->email.empty()) caller->extra["email"] = doc::Array{doc::Value(person->email)};
  caller->person = std::move(person);
  return caller;
}

objects::Outcome<std::shared_ptr<const objects::Caller>> SignOn::with_account(const objects::Caller& caller,
                                                                              std::string_view ns) const {
  if (!asks_rules()) {
    TIPHYS_TRY(objects::Caller rights, account_.caller());
    rights.person = caller.person;
    return std::make_shared<const objects::Caller>(std::move(rights));
  }
  // The time does not matter: rules see no other than that of their session.
  doc::Object claims = session_claims(*caller.person, executor_.now());
  claims.erase("email_verified");
  const auto rule = rules_->find(options_.ns, options_.delegates ? ns : "", claims);
  if (!rule || !*rule) {
    log::warn("sso: {} is not allowed in: {}", caller.person->subject,
              rule ? "no service account rule matches" : rule.error().message);
    return std::unexpected(objects::Refusal{403, "Forbidden", "not allowed"});
  }
  const AccountRule& account = **rule;
  objects::Caller rights = objects::service_account(account.ns, account.name, account.uid);
  objects::Person person = *caller.person;
  person.service_account_name = account.name;
  person.service_account_namespace = account.ns;
  rights.person = std::make_shared<const objects::Person>(std::move(person));
  return std::make_shared<const objects::Caller>(std::move(rights));
}

}  // namespace tiphys::server

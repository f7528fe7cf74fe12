#include "oidc/relying_party.h"

#include <fmt/format.h>

#include <utility>

#include "base/encoding.h"
#include "base/percent.h"
#include "base/strings.h"
#include "oidc/pkce.h"

namespace tiphys::oidc {
namespace {

/// For each request; a browser waits for two to five of them.
constexpr std::chrono::seconds kTimeout(15);
constexpr std::size_t kMostShownBytes = 200;
/// Sign-ins that wait for the provider; what comes beyond is refused.
constexpr std::size_t kMostCalls = 100;

using Form = std::vector<std::pair<std::string_view, std::string_view>>;

std::string form_text(const Form& form) {
  std::string text;
  for (const auto& [name, value] : form) {
    if (!text.empty()) text += '&';
    text += fmt::format("{}={}", name, percent_encode(value));
  }
  return text;
}

web::HttpRequest request_to(std::string url) {
  web::HttpRequest request;
  request.url = std::move(url);
  return request;
}

/// What the provider says is wrong (RFC 6749 5.2), for the log.
std::string reason_in(const web::HttpAnswer& answer) {
  const auto document = doc::parse_json(answer.body);
  const std::string_view error = document ? doc::find_string(*document, "error") : "";
  const std::string_view description = document ? doc::find_string(*document, "error_description") : "";
  if (!error.empty())
    return fmt::format("{}: {} {}", answer.status_line, error, description).substr(0, kMostShownBytes);
  return answer.status_line;
}

}  // namespace

struct RelyingParty::Redeeming {
  Client client;
  SignIn sign_in;
  std::shared_ptr<const Provider> provider{};
  std::string id_token{}, access_token{};
  Done<Identity> done;
};

void RelyingParty::ask(web::HttpRequest request, std::string_view what, Done<doc::Value> done) {
  if (calls_.size() >= kMostCalls) {
    return executor_.post([done = std::move(done)]() mutable {
      done(fail(Code::kResourceExhausted, "too many people are signing in: try again"));
    });
  }
  request.headers.emplace_back("Accept", "application/json");
  request.timeout = kTimeout;
  request.insecure = options_.insecure;
  request.trusted_certificates = options_.trusted_certificates;
  const std::uint64_t id = ++last_call_;
  calls_[id] = http_.send(std::move(request), [this, id, what = std::string(what),
                                               done = std::move(done)](Result<web::HttpAnswer> answer) mutable {
    const auto call = calls_.extract(id);
    if (!answer) return done(fail(Code::kUnavailable, fmt::format("{}: {}", what, answer.error().message)));
    if (answer->status != 200) {
      const Code code = answer->status >= 500 ? Code::kUnavailable : Code::kUnauthenticated;
      return done(fail(code, fmt::format("{}: the provider answers {}", what, reason_in(*answer))));
    }
    auto document = doc::parse_json(answer->body);
    if (!document) return done(fail(Code::kUnavailable, fmt::format("{}: the answer is no JSON", what)));
    done(std::move(*document));
  });
}

void RelyingParty::with_provider(Done<std::shared_ptr<const Provider>> done) {
  if (provider_) return done(provider_);
  ask(request_to(discovery_url(options_.issuer)), "what the provider says of itself",
      [this, done = std::move(done)](Result<doc::Value> document) mutable {
        if (!document) return done(std::unexpected(std::move(document.error())));
        auto provider = read_provider(*document, options_.issuer, options_.issuer_alias);
        if (!provider) return done(std::unexpected(provider.error().in("what the provider says of itself")));
        provider_ = std::make_shared<const Provider>(std::move(*provider));
        done(provider_);
      });
}

void RelyingParty::with_new_keys(const Provider& provider, Done<void> done) {
  ask(request_to(provider.keys_url), "the provider's keys",
      [this, done = std::move(done)](Result<doc::Value> document) mutable {
        auto keys = document ? jose::read_web_keys(*document) : std::unexpected(std::move(document.error()));
        if (!keys) return done(std::unexpected(std::move(keys.error())));
        keys_ = std::move(*keys);
        done({});
      });
}

void RelyingParty::authorization_url(const Client& client, const SignIn& sign_in, Done<std::string> done) {
  with_provider([this, client, sign_in, done = std::move(done)](Result<std::shared_ptr<const Provider>> found) mutable {
    if (!found) return done(std::unexpected(std::move(found.error())));
    const Provider& provider = **found;
    std::vector<std::string> scopes = options_.scopes;
    scopes.emplace_back("openid");
    const std::string scope = join(scopes, " "), challenge = challenge_of(sign_in.verifier);
    Form form{{"response_type", "code"}, {"client_id", client.id}, {"redirect_uri", sign_in.redirect_uri},
              {"scope", scope},          {"state", sign_in.state}, {"nonce", sign_in.nonce}};
    if (provider.proof_keys) {
      form.emplace_back("code_challenge", challenge);
      form.emplace_back("code_challenge_method", "S256");
    }
    const std::string& url = provider.authorization_endpoint;
    done(fmt::format("{}{}{}", url, url.contains('?') ? '&' : '?', form_text(form)));
  });
}

void RelyingParty::redeem(Client client, SignIn sign_in, std::string code, Done<Identity> done) {
  auto redeeming = std::make_shared<Redeeming>(
      Redeeming{.client = std::move(client), .sign_in = std::move(sign_in), .done = std::move(done)});
  with_provider([this, redeeming, code = std::move(code)](Result<std::shared_ptr<const Provider>> found) {
    if (!found) return redeeming->done(std::unexpected(std::move(found.error())));
    redeeming->provider = std::move(*found);
    const Client& self = redeeming->client;
    Form form{{"grant_type", "authorization_code"}, {"code", code}, {"redirect_uri", redeeming->sign_in.redirect_uri}};
    if (redeeming->provider->proof_keys) form.emplace_back("code_verifier", redeeming->sign_in.verifier);
    web::HttpRequest request = request_to(redeeming->provider->token_endpoint);
    request.method = "POST";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.stays_at_host = true;
    if (redeeming->provider->secret_in_form) {
      form.emplace_back("client_id", self.id);
      form.emplace_back("client_secret", self.secret);
    } else {
      // RFC 6749 2.3.1: both as a form has them.
      const std::string both = percent_encode(self.id) + ":" + percent_encode(self.secret);
      request.headers.emplace_back("Authorization", "Basic " + encode_base64(both));
    }
    request.body = form_text(form);
    ask(std::move(request), "a code", [this, redeeming](Result<doc::Value> answer) {
      if (!answer) return redeeming->done(std::unexpected(std::move(answer.error())));
      take_tokens(redeeming, *answer);
    });
  });
}

void RelyingParty::take_tokens(std::shared_ptr<Redeeming> redeeming, const doc::Value& answer) {
  redeeming->id_token = doc::find_string(answer, "id_token");
  redeeming->access_token = doc::find_string(answer, "access_token");
  if (redeeming->id_token.empty()) {
    return redeeming->done(fail(Code::kUnauthenticated, "a code: the provider answers without an ID token"));
  }
  verify(std::move(redeeming), false);
}

void RelyingParty::verify(std::shared_ptr<Redeeming> redeeming, bool with_newest_keys) {
  const Expected expected{.issuer = redeeming->provider->issuer,
                          .client_id = redeeming->client.id,
                          .nonce = redeeming->sign_in.nonce,
                          .algorithms = redeeming->provider->algorithms};
  auto claims = verify_id_token(redeeming->id_token, keys_, expected, executor_.now());
  if (claims) {
    return redeeming->done(Identity{.claims = std::move(*claims), .access_token = std::move(redeeming->access_token)});
  }
  if (claims.error().code != Code::kNotFound) return redeeming->done(std::unexpected(std::move(claims.error())));
  if (with_newest_keys) {
    return redeeming->done(fail(Code::kUnauthenticated, std::move(claims.error().message)));
  }
  const Provider& provider = *redeeming->provider;
  with_new_keys(provider, [this, redeeming = std::move(redeeming)](Status known) mutable {
    if (!known) return redeeming->done(std::unexpected(std::move(known.error())));
    verify(std::move(redeeming), true);
  });
}

void RelyingParty::get(std::string_view path, const std::string& access_token, Done<doc::Value> done) {
  web::HttpRequest request = request_to(fmt::format("{}{}", options_.issuer, path));
  request.headers = {{"Authorization", fmt::format("Bearer {}", access_token)}};
  request.stays_at_host = true;
  ask(std::move(request), "userinfo", std::move(done));
}

}  // namespace tiphys::oidc

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/simulated_executor.h"
#include "jose/signed_token.h"
#include "oidc/id_token.h"
#include "oidc/pkce.h"
#include "oidc/provider.h"
#include "oidc/relying_party.h"
#include "oidc/testing.h"

namespace tiphys::oidc {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Time kNow{std::chrono::seconds(1'700'000'000)};

TEST(IdToken, IsGoodOrNot) {
  SimulatedExecutor executor(kNow);
  const FakeProvider provider(executor);
  const jose::TestKey rsa("RS256", "rsa"), ec("ES256", "ec"), pss("PS256", "pss"), unnamed("RS256"),
      stranger("RS256", "rsa");
  const std::vector<jose::Key> keys = *jose::read_web_keys(jose::web_key_set({&rsa, &ec, &pss, &unnamed}));
  const Expected expected{.issuer = FakeProvider::kIssuer,
                          .client_id = FakeProvider::kClient,
                          .nonce = "n-1",
                          .algorithms = {"RS256", "ES256"}};
  doc::Object good = provider.claims(kNow);
  good["nonce"] = "n-1";
  const auto with = [&](std::string_view name, const auto& value) {
    doc::Object claims = good;
    claims[name] = value;
    return claims;
  };
  const auto seconds_from_now = [](int seconds) { return jose::numeric_date(kNow + std::chrono::seconds(seconds)); };
  doc::Object endless = good;
  endless.erase("exp");
  const std::string payload = encode_base64url(doc::to_json(good));
  const auto header = [](std::string_view json) { return encode_base64url(json); };
  const struct {
    const char* name;
    std::string token;
    const char* why;  ///< "": it is good
  } rows[] = {
      {"RSA", rsa.sign(good), ""},
      {"elliptic curves", ec.sign(good), ""},
      {"several audiences", rsa.sign(with("aud", doc::Array{"other", FakeProvider::kClient})), ""},
      {"a key without a name fits a token without one", unnamed.sign(good), ""},
      {"it holds to its last second", rsa.sign(with("exp", seconds_from_now(1))), ""},
      {"clocks may differ by minutes", rsa.sign(with("nbf", seconds_from_now(240))), ""},
      {"expired", rsa.sign(with("exp", seconds_from_now(0))), "expired at"},
      {"no end", rsa.sign(endless), "expired at"},
      {"an end that is a text", rsa.sign(with("exp", "9999999999")), "expired at"},
      {"not yet", rsa.sign(with("nbf", seconds_from_now(600))), "does not hold yet"},
      {"another client", rsa.sign(with("aud", "other")), "for another client"},
      {"a longer client", rsa.sign(with("aud", "the-client-2")), "for another client"},
      {"no audiences", rsa.sign(with("aud", doc::Array{})), "for another client"},
      {"another issuer", rsa.sign(with("iss", "https://evil.example.com")), "is of \"https://evil.example.com\""},
      {"an issuer with a slash more", rsa.sign(with("iss", std::string(FakeProvider::kIssuer) + "/")), "not of"},
      {"nobody", rsa.sign(with("sub", "")), "names nobody"},
      {"another nonce", rsa.sign(with("nonce", "n-2")), "its nonce differs"},
      {"no nonce", rsa.sign(with("nonce", nullptr)), "its nonce differs"},
      {"none", header(R"({"alg":"none"})") + "." + payload + ".", "none of its provider's algorithms"},
      {"None", header(R"({"alg":"None"})") + "." + payload + ".", "none of its provider's algorithms"},
      {"no algorithm", rsa.sign({{"kid", "rsa"}}, good), "none of its provider's algorithms"},
      {"the public key as a shared secret", jose::sign_hs256(rsa.public_pem(), good, "rsa"), "\"HS256\""},
      {"the client's secret", jose::sign_hs256("secret", good, ""), "\"HS256\""},
      {"an algorithm that the provider does not use", pss.sign(good), "\"PS256\""},
      {"a key of another kind", rsa.sign({{"alg", "ES256"}, {"kid", "rsa"}}, good), "signed by none of"},
      {"a stranger's signature", stranger.sign(good), "signed by none of"},
      {"an unknown key", jose::TestKey("RS256", "new").sign(good), "signed by none of"},
      {"a key of its own in the header", stranger.sign({{"alg", "RS256"}, {"jwk", stranger.web_key()}}, good),
       "signed by none of"},
      {"no signature", rsa.sign(good).substr(0, rsa.sign(good).rfind('.') + 1), "signed by none of"},
      {"claims of another token", rsa.sign(good).substr(0, 10) + "." + payload + ".AAAA", "cannot be read"},
      {"no token", "nonsense", "cannot be read"},
      {"a huge one", rsa.sign(with("x", std::string(kMostIdTokenBytes, 'x'))), "is too long"},
  };
  for (const auto& [name, token, why] : rows) {
    SCOPED_TRACE(name);
    const auto verified = verify_id_token(token, keys, expected, kNow);
    if (*why == '\0') {
      EXPECT_TRUE(verified) << verified.error().message;
      continue;
    }
    ASSERT_FALSE(verified);
    EXPECT_THAT(verified.error().message, HasSubstr(why));
    const bool another_key = std::string_view(why) == "signed by none of";
    EXPECT_EQ(verified.error().code, another_key ? Code::kNotFound : Code::kUnauthenticated);
  }
  Expected careless = expected;
  careless.nonce = "";
  EXPECT_FALSE(verify_id_token(rsa.sign(with("nonce", "")), keys, careless, kNow)) << "there is always a nonce";
}

TEST(IdToken, OfGoogleNeedsNoScheme) {
  const jose::TestKey key("RS256");
  const doc::Object claims{{"iss", "accounts.google.com"},
                           {"aud", "c"},
                           {"sub", "s"},
                           {"nonce", "n"},
                           {"exp", jose::numeric_date(kNow) + 60}};
  Expected expected{.issuer = "https://accounts.google.com", .client_id = "c", .nonce = "n", .algorithms = {"RS256"}};
  const auto keys = *jose::read_web_keys(jose::web_key_set({&key}));
  EXPECT_TRUE(verify_id_token(key.sign(claims), keys, expected, kNow));
  expected.issuer = "https://accounts.example.com";
  EXPECT_FALSE(verify_id_token(key.sign(claims), keys, expected, kNow));
}

TEST(Provider, SaysWhatItIs) {
  SimulatedExecutor executor;
  const doc::Object good = FakeProvider(executor).document;
  const auto with = [&](std::string_view name, const auto& value) {
    doc::Object document = good;
    document[name] = value;
    return document;
  };
  const struct {
    const char* name;
    doc::Object document;
    const char* alias;
    const char* why;
  } rows[] = {
      {"a good one", good, "", ""},
      {"another issuer", with("issuer", "https://other"), "", "is of the issuer \"https://other\""},
      {"another issuer that is expected", with("issuer", "https://other"), "https://other", ""},
      {"no token endpoint", with("token_endpoint", nullptr), "", "has no token_endpoint"},
      {"a secret in plain text", with("token_endpoint", "http://id.example.com/token"), "", "is no https URL"},
      {"keys in plain text", with("jwks_uri", "http://id.example.com/keys"), "", "is no https URL"},
      {"another scheme", with("authorization_endpoint", "javascript:alert(1)"), "", "is no https URL"},
  };
  for (const auto& [name, document, alias, why] : rows) {
    SCOPED_TRACE(name);
    const auto read = read_provider(document, FakeProvider::kIssuer, alias);
    EXPECT_THAT(read ? "" : read.error().message, HasSubstr(why));
    EXPECT_EQ(read.has_value(), *why == '\0');
  }
  const auto provider = read_provider(good, FakeProvider::kIssuer, "");
  EXPECT_THAT(provider->algorithms, ElementsAre("RS256", "ES256")) << "none and shared secrets are no algorithms";
  EXPECT_TRUE(provider->proof_keys);
  EXPECT_FALSE(provider->secret_in_form);
  EXPECT_TRUE(read_provider(with("token_endpoint_auth_methods_supported", doc::Array{"client_secret_post"}),
                            FakeProvider::kIssuer, "")
                  ->secret_in_form);
  EXPECT_THAT(
      read_provider(with("id_token_signing_alg_values_supported", doc::Array{"HS256"}), FakeProvider::kIssuer, "")
          ->algorithms,
      ElementsAre("RS256"));
  EXPECT_EQ(read_provider(good, FakeProvider::kIssuer, "https://alias")->issuer, "https://alias");
  EXPECT_EQ(discovery_url("https://a/b/"), "https://a/b/.well-known/openid-configuration");
}

TEST(Pkce, ChallengesAsRfc7636) {
  EXPECT_EQ(challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  EXPECT_EQ(random_text().size(), 43u);
  EXPECT_NE(random_text(), random_text());
}

class RelyingPartyTest : public testing::Test {
 protected:
  void begin(RelyingPartyOptions options = {}) {
    options.issuer = FakeProvider::kIssuer;
    party_.emplace(executor_, provider_, std::move(options));
  }
  template <typename T, typename Ask>
  Result<T> wait(Ask ask) {
    std::optional<Result<T>> answer;
    ask([&](Result<T> given) { answer = std::move(given); });
    executor_.run_until([&] { return answer.has_value(); });
    return answer ? std::move(*answer) : fail(Code::kInternal, "no answer");
  }
  std::string url() {
    const auto given =
        wait<std::string>([&](auto done) { party_->authorization_url(client_, sign_in_, std::move(done)); });
    return given.value_or("");
  }
  Result<Identity> redeem(std::string code = "the-code") {
    return wait<Identity>([&](auto done) { party_->redeem(client_, sign_in_, std::move(code), std::move(done)); });
  }
  void give(const jose::TestKey& key, doc::Object claims) {
    claims["nonce"] = sign_in_.nonce;
    provider_.id_token = key.sign(claims);
  }

  SimulatedExecutor executor_{kNow};
  FakeProvider provider_{executor_};
  jose::TestKey key_{"RS256", "first"};
  Client client_{.id = FakeProvider::kClient, .secret = "s&cret:"};
  SignIn sign_in_{.redirect_uri = "https://plane/oauth2/callback", .state = "st", .nonce = "no", .verifier = "ve"};
  std::optional<RelyingParty> party_;
};

TEST_F(RelyingPartyTest, SendsABrowserToTheProvider) {
  begin({.scopes = {"groups", "email"}});
  EXPECT_EQ(url(),
            "https://id.example.com/auth?response_type=code&client_id=the-client&redirect_uri=https%3A%2F%2Fplane%"
            "2Foauth2%2Fcallback&scope=groups%20email%20openid&state=st&nonce=no&code_challenge=" +
                challenge_of("ve") + "&code_challenge_method=S256");
  EXPECT_THAT(url(), StartsWith("https://id.example.com/auth?"));
  EXPECT_EQ(provider_.asked("/openid-configuration"), 1u) << "it is asked once";
  provider_.document.erase("code_challenge_methods_supported");
  provider_.document["authorization_endpoint"] = "https://id.example.com/auth?tenant=1";
  begin();
  EXPECT_THAT(url(), StartsWith("https://id.example.com/auth?tenant=1&response_type=code"));
  EXPECT_THAT(url(), Not(HasSubstr("challenge")));
}

TEST_F(RelyingPartyTest, RedeemsACode) {
  provider_.keys = {&key_};
  give(key_, provider_.claims(kNow));
  begin();
  const auto identity = redeem();
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(doc::find_string(identity->claims, "email"), "ann@example.com");
  EXPECT_EQ(identity->access_token, "access");
  const web::HttpRequest& request = provider_.requests.at(1);
  EXPECT_EQ(request.url, "https://id.example.com/token");
  EXPECT_EQ(request.body,
            "grant_type=authorization_code&code=the-code&redirect_uri=https%3A%2F%2Fplane%2Foauth2%2Fcallback&code_"
            "verifier=ve");
  EXPECT_THAT(request.headers,
              testing::Contains(testing::Pair("Authorization", "Basic " + encode_base64("the-client:s%26cret%3A"))));
  EXPECT_TRUE(request.stays_at_host) << "the secret goes to nobody else";
  EXPECT_TRUE(request.timeout);
}

TEST_F(RelyingPartyTest, ShowsItsSecretInTheFormWhereThatIsWanted) {
  provider_.keys = {&key_};
  provider_.document["token_endpoint_auth_methods_supported"] = doc::Array{"client_secret_post"};
  give(key_, provider_.claims(kNow));
  begin();
  ASSERT_TRUE(redeem());
  EXPECT_THAT(provider_.requests.at(1).body, EndsWith("&client_id=the-client&client_secret=s%26cret%3A"));
  EXPECT_THAT(provider_.requests.at(1).headers, Not(testing::Contains(testing::Key("Authorization"))));
}

TEST_F(RelyingPartyTest, FollowsTheProvidersKeys) {
  const jose::TestKey next("ES256", "second");
  provider_.keys = {&key_};
  begin();
  give(key_, provider_.claims(kNow));
  ASSERT_TRUE(redeem());
  ASSERT_TRUE(redeem());
  EXPECT_EQ(provider_.asked("/keys"), 1u) << "keys are kept";
  give(next, provider_.claims(kNow));
  const auto early = redeem();
  ASSERT_FALSE(early) << "the provider has no such key yet";
  EXPECT_EQ(early.error().code, Code::kUnauthenticated);
  EXPECT_EQ(provider_.asked("/keys"), 2u) << "once for each token of an unknown key";
  provider_.keys = {&next};
  EXPECT_TRUE(redeem());
  EXPECT_EQ(provider_.asked("/keys"), 3u);
  give(key_, provider_.claims(kNow));
  EXPECT_FALSE(redeem()) << "what the provider has taken back is good no more";
}

TEST_F(RelyingPartyTest, TellsWhatFails) {
  provider_.keys = {&key_};
  const struct {
    const char* name;
    std::function<void()> change;
    Code code;
    const char* why;
  } rows[] = {
      {"no discovery", [&] { provider_.codes["/openid-configuration"] = 404; }, Code::kUnauthenticated,
       "says of itself"},
      {"a provider that is down", [&] { provider_.codes["/openid-configuration"] = 503; }, Code::kUnavailable, "503"},
      {"a code that is refused", [&] { provider_.codes["/token"] = 400; }, Code::kUnauthenticated,
       "400: invalid_grant no"},
      {"no ID token", [&] { provider_.id_token = ""; }, Code::kUnauthenticated, "without an ID token"},
      {"no keys", [&] { provider_.codes["/keys"] = 500; }, Code::kUnavailable, "the provider's keys"},
      {"an expired token", [&] { give(key_, provider_.claims(kNow - std::chrono::hours(2))); }, Code::kUnauthenticated,
       "expired"},
  };
  for (const auto& [name, change, code, why] : rows) {
    SCOPED_TRACE(name);
    provider_.codes.clear();
    give(key_, provider_.claims(kNow));
    begin();
    change();
    const auto identity = redeem();
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().code, code) << identity.error().message;
    EXPECT_THAT(identity.error().message, HasSubstr(why));
  }
  provider_.codes.clear();
  give(key_, provider_.claims(kNow));
  EXPECT_TRUE(redeem()) << "what has failed is asked again";
}

TEST_F(RelyingPartyTest, TakesNoMoreThanItsBound) {
  provider_.silent = true;
  begin();
  std::size_t refused = 0;
  for (int i = 0; i < 150; ++i) {
    party_->redeem(client_, sign_in_, "c", [&](const Result<Identity>& given) {
      EXPECT_EQ(given.error().code, Code::kResourceExhausted);
      ++refused;
    });
  }
  executor_.run_ready();
  EXPECT_EQ(refused, 50u);
  EXPECT_EQ(provider_.requests.size(), 100u);
  party_.reset();
  executor_.run_ready();
}

}  // namespace
}  // namespace tiphys::oidc

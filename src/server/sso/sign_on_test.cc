#include "server/sso/sign_on.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/simulated_executor.h"
#include "jose/signed_token.h"
#include "oidc/testing.h"
#include "server/testing.h"

namespace tiphys::server {
namespace {

using oidc::FakeProvider;
using testing::HasSubstr;
using testing::StartsWith;

const auto kIgnore = [](const Result<cluster::Object>&) {};

std::string parameter(const std::string& url, const std::string& name) {
  const auto at = url.find("&" + name + "=");
  const auto begin = at + name.size() + 2;
  return at == std::string::npos ? "" : url.substr(begin, url.find('&', begin) - begin);
}

class SignOnTest : public testing::Test {
 protected:
  SignOnTest() {
    secret("client", {{"id", encode_base64(FakeProvider::kClient)}, {"secret", encode_base64("shh")}});
    provider_.keys = {&key_};
    config_.issuer = FakeProvider::kIssuer;
    config_.client_id = {"client", "id"};
    config_.client_secret = {"client", "secret"};
  }

  void secret(const std::string& name, doc::Object data) {
    fake_.create(
        cluster::kSecrets,
        doc::Object{{"metadata", doc::Object{{"name", name}, {"namespace", "default"}}}, {"data", std::move(data)}},
        kIgnore);
  }
  Result<std::unique_ptr<SignOn>> make() {
    auto made = SignOn::start(executor_, fake_, provider_, account_,
                              {.config = config_, .base_path = base_path_, .ns = "default"});
    executor_.run_ready();
    return made;
  }
  /// As after a restart.
  void start() {
    auto made = make();
    ASSERT_TRUE(made) << made.error().message;
    sign_on_ = std::move(*made);
  }

  template <typename T, typename Ask>
  Result<T> wait(Ask ask) {
    std::optional<Result<T>> answer;
    ask([&](Result<T> given) { answer = std::move(given); });
    executor_.run_until([&] { return answer.has_value(); });
    return answer ? std::move(*answer) : fail(Code::kInternal, "no answer");
  }
  Result<SignInBegun> begin(std::string_view wanted = "/workflows") {
    return wait<SignInBegun>([&](auto done) { sign_on_->begin(wanted, "plane:2746", std::move(done)); });
  }
  Result<SignedIn> finish(std::string_view state, std::string_view kept, std::string code = "code") {
    return wait<SignedIn>([&](auto done) { sign_on_->finish(state, kept, std::move(code), std::move(done)); });
  }
  /// What the provider says to who has been sent to it.
  void answer(const SignInBegun& begun, doc::Object claims) {
    claims["nonce"] = parameter(begun.location, "nonce");
    provider_.id_token = key_.sign(claims);
  }
  void answer(const SignInBegun& begun) { answer(begun, provider_.claims(executor_.now())); }
  Result<SignedIn> sign_in() {
    const auto begun = begin();
    if (!begun) return std::unexpected(begun.error());
    answer(*begun);
    return finish(begun->state, begun->kept);
  }
  std::string error_of(const Result<SignedIn>& result) { return result ? "" : result.error().message; }

  SimulatedExecutor executor_;
  FakeCluster fake_{executor_};
  FakeProvider provider_{executor_};
  jose::TestKey key_{"RS256", "k"};
  ServerAccount account_{fake_, std::nullopt};
  api::SsoConfig config_;
  std::string base_path_ = "/";
  std::unique_ptr<SignOn> sign_on_;
};

TEST_F(SignOnTest, BeginsASession) {
  start();
  const auto begun = begin();
  ASSERT_TRUE(begun) << begun.error().message;
  EXPECT_EQ(parameter(begun->location, "state"), begun->state);
  EXPECT_EQ(parameter(begun->location, "redirect_uri"), "https%3A%2F%2Fplane%3A2746%2Foauth2%2Fcallback");
  answer(*begun);
  const auto signed_in = finish(begun->state, begun->kept);
  ASSERT_TRUE(signed_in) << signed_in.error().message;
  EXPECT_EQ(signed_in->location, "/workflows");
  EXPECT_THAT(signed_in->session, StartsWith("Bearer v2:"));
  const auto caller = sign_on_->admit(signed_in->session);
  ASSERT_TRUE(caller) << caller.error().message;
  EXPECT_EQ((*caller)->name, "sso:u-1");
  EXPECT_THAT((*caller)->groups, testing::ElementsAre("system:unauthenticated")) << "no rights yet";
  EXPECT_EQ((*caller)->person->email, "ann@example.com");
  EXPECT_EQ((*caller)->person->issuer, "argo-server");
  const auto owner = sign_on_->with_account(**caller, "");
  ASSERT_TRUE(owner);
  EXPECT_EQ((*owner)->name, "tiphys:admin") << "without rules: the server's account";
  EXPECT_EQ((*owner)->person->subject, "u-1");
}

TEST_F(SignOnTest, BehindAProxyThePathOfTheCallbackBeginsWithThatOfTheServer) {
  base_path_ = "/argo/";
  start();
  const auto begun = begin("");
  ASSERT_TRUE(begun) << begun.error().message;
  EXPECT_EQ(parameter(begun->location, "redirect_uri"), "https%3A%2F%2Fplane%3A2746%2Fargo%2Foauth2%2Fcallback");
  answer(*begun);
  const auto signed_in = finish(begun->state, begun->kept);
  ASSERT_TRUE(signed_in) << signed_in.error().message;
  EXPECT_EQ(signed_in->location, "/argo/");
  config_.redirect_url = "https://workflows.example.com/callback";
  start();
  EXPECT_EQ(parameter(begin()->location, "redirect_uri"), "https%3A%2F%2Fworkflows.example.com%2Fcallback")
      << "what is configured is taken as it is";
}

TEST_F(SignOnTest, SessionsSurviveARestartUntilTheyExpire) {
  config_.session_expiry = std::chrono::hours(2);
  start();
  const auto signed_in = sign_in();
  ASSERT_TRUE(signed_in);
  start();
  EXPECT_TRUE(sign_on_->admit(signed_in->session));
  executor_.set_now(executor_.now() + std::chrono::hours(2) - std::chrono::seconds(1));
  EXPECT_TRUE(sign_on_->admit(signed_in->session));
  executor_.set_now(executor_.now() + std::chrono::seconds(2));
  const auto late = sign_on_->admit(signed_in->session);
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().message, HasSubstr("is over"));
}

TEST_F(SignOnTest, WhoDeletesTheKeyEndsAllSessions) {
  start();
  const auto signed_in = sign_in();
  ASSERT_TRUE(signed_in);
  fake_.remove({&cluster::kSecrets, "default", "sso"}, {}, kIgnore);
  start();
  EXPECT_FALSE(sign_on_->admit(signed_in->session));
}

TEST_F(SignOnTest, NothingElseIsASession) {
  start();
  const auto begun = begin();
  const auto signed_in = sign_in();
  ASSERT_TRUE(begun && signed_in);
  SimulatedExecutor other_executor;
  FakeCluster other_fake(other_executor);
  const ServerAccount other_account(other_fake, std::nullopt);
  const auto other =
      SignOn::start(other_executor, other_fake, provider_, other_account, {.config = config_, .ns = "default"});
  ASSERT_TRUE(other);
  EXPECT_FALSE((*other)->admit(signed_in->session)) << "of another plane";
  const std::string token = signed_in->session.substr(std::string_view("Bearer v2:").size());
  for (const std::string& text :
       {std::string(), std::string("Bearer v2:"), "Bearer " + token, token, "Bearer v2:" + begun->kept,
        "Bearer v2:" + provider_.id_token, "Bearer v2:" + std::string(1 << 16, 'a'), signed_in->session + "x"}) {
    const auto caller = sign_on_->admit(text);
    ASSERT_FALSE(caller) << text.substr(0, 100);
    EXPECT_EQ(caller.error().code, Code::kUnauthenticated);
  }
}

TEST_F(SignOnTest, ASignInIsOneBrowsersAndGoodOnce) {
  start();
  const auto mine = begin(), anothers = begin();
  ASSERT_TRUE(mine && anothers);
  answer(*mine);
  EXPECT_THAT(error_of(finish(mine->state, anothers->kept)), HasSubstr("in this browser")) << "a stolen state";
  EXPECT_THAT(error_of(finish(anothers->state, mine->kept)), HasSubstr("in this browser"));
  EXPECT_THAT(error_of(finish("", mine->kept)), HasSubstr("in this browser"));
  EXPECT_THAT(error_of(finish(mine->state, "")), HasSubstr("in this browser"));
  EXPECT_THAT(error_of(finish(mine->state, mine->kept, "")), HasSubstr("there is no code"));
  EXPECT_EQ(provider_.asked("/token"), 0u) << "the provider hears nothing of it";
  EXPECT_THAT(error_of(finish(anothers->state, anothers->kept)), HasSubstr("nonce differs"))
      << "a code of another sign-in";
  ASSERT_TRUE(finish(mine->state, mine->kept));
  EXPECT_THAT(error_of(finish(mine->state, mine->kept)), HasSubstr("finished before")) << "replayed";
}

TEST_F(SignOnTest, ASignInSurvivesARestartAndIsOverSoon) {
  start();
  const auto soon = begin(), late = begin();
  ASSERT_TRUE(soon && late);
  start();
  answer(*soon);
  EXPECT_EQ(error_of(finish(soon->state, soon->kept)), "");
  executor_.set_now(executor_.now() + std::chrono::minutes(11));
  answer(*late);
  EXPECT_THAT(error_of(finish(late->state, late->kept)), HasSubstr("too long ago"));
}

TEST_F(SignOnTest, GroupsMayComeFromUserinfo) {
  config_.user_info_path = "/userinfo";
  config_.filter_groups_regex = {"^wf-"};
  provider_.userinfo = doc::Object{{"groups", doc::Array{"wf-a", "b"}}};
  start();
  const auto signed_in = sign_in();
  ASSERT_TRUE(signed_in) << signed_in.error().message;
  EXPECT_EQ(provider_.requests.back().url, std::string(FakeProvider::kIssuer) + "/userinfo");
  EXPECT_THAT(provider_.requests.back().headers, testing::Contains(testing::Pair("Authorization", "Bearer access")));
  EXPECT_THAT((*sign_on_->admit(signed_in->session))->person->groups, testing::ElementsAre("wf-a"));
  provider_.codes["/userinfo"] = 403;
  EXPECT_THAT(error_of(sign_in()), HasSubstr("userinfo: the provider answers 403"));
}

TEST_F(SignOnTest, UserinfoIsOfWhoHasSignedIn) {
  config_.user_info_path = "/userinfo";
  provider_.userinfo = doc::Object{{"sub", "another"}, {"groups", doc::Array{"admins"}}};
  start();
  EXPECT_THAT(error_of(sign_in()), HasSubstr("userinfo is of another subject than the ID token"));
}

TEST_F(SignOnTest, TooManyGroupsAreToldAndNotDroppedByBrowsers) {
  start();
  const auto begun = begin();
  doc::Object claims = provider_.claims(executor_.now());
  doc::Array& groups = claims["groups"].emplace_array();
  SeededRandom random(7);
  for (int i = 0; i < 400; ++i) groups.emplace_back(make_uid(random));
  answer(*begun, claims);
  EXPECT_THAT(error_of(finish(begun->state, begun->kept)), HasSubstr("with 400 groups: leave some out by "));
}

TEST_F(SignOnTest, AsksForWhatItNeeds) {
  const struct {
    const char* name;
    std::function<void()> change;
    const char* why;
  } rows[] = {
      {"no issuer", [&] { config_.issuer = ""; }, "sso.issuer is empty"},
      {"no client id", [&] { config_.client_id.key = ""; }, "sso.clientId is empty"},
      {"no secret", [&] { config_.client_secret = {}; }, "sso.clientSecret is empty"},
      {"a Secret sso of somebody else", [&] { secret("sso", {{"other", "AAAA"}}); },
       "has no cookieEncryptionPrivateKey"},
  };
  const api::SsoConfig good = config_;
  for (const auto& [name, change, why] : rows) {
    config_ = good;
    change();
    const auto made = make();
    ASSERT_FALSE(made) << name;
    EXPECT_THAT(made.error().message, HasSubstr(why));
    fake_.remove({&cluster::kSecrets, "default", "sso"}, {}, kIgnore);
  }
  config_ = good;
  EXPECT_FALSE(SignOn::start(executor_, fake_, provider_, account_, {.config = config_, .ns = "nowhere"}));
  config_.client_secret.key = "later";
  start();
  EXPECT_THAT(begin().error().message, HasSubstr("key later missing in secret client"))
      << "Secrets may come once the server is up";
}

TEST_F(SignOnTest, RulesSayWhoseRightsSomebodyHas) {
  config_.rbac.enabled = true;
  const auto account = [&](const char* ns, const char* name, const char* rule) {
    fake_.create(
        cluster::kServiceAccounts,
        doc::Object{{"metadata",
                     doc::Object{{"name", name},
                                 {"namespace", ns},
                                 {"annotations", doc::Object{{kRuleAnnotation, rule}, {kPrecedenceAnnotation, "1"}}}}}},
        kIgnore);
    executor_.run_ready();
  };
  start();
  const auto signed_in = sign_in();
  ASSERT_TRUE(signed_in);
  const auto caller = *sign_on_->admit(signed_in->session);
  const auto refused = sign_on_->with_account(*caller, "default");
  ASSERT_FALSE(refused) << "no rule holds";
  EXPECT_EQ(refused.error().code, 403u);
  EXPECT_EQ(refused.error().message, "not allowed");
  account("default", "staff", "'staff' in groups && sub == 'u-1' && email == 'ann@example.com'");
  account("team", "staff", "true");
  const auto allowed = sign_on_->with_account(*caller, "team");
  ASSERT_TRUE(allowed) << allowed.error().message;
  EXPECT_EQ((*allowed)->name, "system:serviceaccount:default:staff");
  EXPECT_THAT((*allowed)->groups, testing::Not(testing::Contains("staff"))) << "groups of people give no rights";
  EXPECT_EQ((*allowed)->person->service_account_name, "staff");
  EXPECT_EQ((*allowed)->person->service_account_namespace, "default");
}

}  // namespace
}  // namespace tiphys::server

// What single sign-on decides by: claims, rules, locations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/simulated_executor.h"
#include "jose/signed_token.h"
#include "server/sso/account_rules.h"
#include "server/sso/final_location.h"
#include "server/sso/person.h"
#include "server/testing.h"

namespace tiphys::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(FinalLocation, StaysAtThisServer) {
  const struct {
    const char* wanted;
    const char* location;
  } rows[] = {
      {"/", "/"},
      {"/workflows", "/workflows"},
      {"/workflows/ns/wf?tab=a&b=%2F#x", "/workflows/ns/wf?tab=a&b=%2F#x"},
      {"/a b", "/a%20b"},
      {"/gr\xC3\xBC\xC3\x9F", "/gr%C3%BC%C3%9F"},
      {"/a/../b", "/"},
      {"", "/"},
      {"workflows", "/"},
      {"https://evil.example.com", "/"},
      {"//evil.example.com", "/"},
      {"/\\evil.example.com", "/"},
      {"\\\\evil.example.com", "/"},
      {"/ /evil.example.com", "/"},
      {"/   \\evil.example.com", "/"},
      {"/\t/evil.example.com", "/"},
      {"/\v/evil.example.com", "/"},
      {"/./evil.example.com", "/"},
      {"/..//evil.example.com", "/"},
      {"/../evil.example.com", "/"},
      {"/a//evil.example.com", "/"},
      {"javascript:alert(1)", "/"},
      {"/a\r\nSet-Cookie: b=c", "/"},
      {"/.../a", "/.../a"},
      {"/a/.b", "/a/.b"},
  };
  for (const auto& [wanted, location] : rows) EXPECT_EQ(final_location(wanted, "/"), location) << wanted;
  EXPECT_EQ(final_location("/" + std::string(3000, 'a'), "/"), "/");
}

TEST(FinalLocation, IsTheFrontPageBehindAProxyWithoutABetterOne) {
  EXPECT_EQ(final_location("", "/argo/"), "/argo/");
  EXPECT_EQ(final_location("//evil.example.com", "/argo/"), "/argo/");
  EXPECT_EQ(final_location("/argo/workflows", "/argo/"), "/argo/workflows");
}

TEST(Person, IsWhomTheProviderTells) {
  const doc::Object plain{{"sub", "u"},
                          {"email", "e@x"},
                          {"name", "N"},
                          {"preferred_username", "p"},
                          {"groups", doc::Array{"a", "b"}},
                          {"roles", doc::Array{"r"}}};
  const auto with = [&](std::string_view name, const auto& value) {
    doc::Object claims = plain;
    claims[name] = value;
    return claims;
  };
  const auto groups = [](const Result<objects::Person>& person) {
    return person ? person->groups : std::vector<std::string>{person.error().message};
  };
  const auto person = read_person(plain, nullptr, {});
  ASSERT_TRUE(person);
  EXPECT_EQ(person->issuer + person->subject + person->email + person->name + person->preferred_username,
            "argo-serverue@xNp");
  EXPECT_FALSE(person->email_verified);
  EXPECT_THAT(groups(person), ElementsAre("a", "b"));
  EXPECT_TRUE(read_person(with("email_verified", true), nullptr, {})->email_verified);
  EXPECT_TRUE(read_person(with("email_verified", "true"), nullptr, {})->email_verified);
  EXPECT_FALSE(read_person(with("email_verified", "false"), nullptr, {})->email_verified);
  EXPECT_EQ(read_person(with("iss", "https://id"), nullptr, {})->issuer, "argo-server");

  api::SsoConfig config;
  EXPECT_THAT(groups(read_person(with("groups", nullptr), nullptr, config)), IsEmpty());
  EXPECT_THAT(groups(read_person(with("groups", "a"), nullptr, config)), ElementsAre("groups is no list of texts"));
  EXPECT_THAT(groups(read_person(with("groups", doc::Array{1}), nullptr, config)),
              ElementsAre("groups is no list of texts"));
  config.custom_group_claim_name = "roles";
  EXPECT_THAT(groups(read_person(plain, nullptr, config)), ElementsAre("r"));
  EXPECT_THAT(groups(read_person(with("roles", "r"), nullptr, config)), IsEmpty());
  config.custom_group_claim_name = "missing";
  EXPECT_THAT(groups(read_person(plain, nullptr, config)), IsEmpty());
  const doc::Value userinfo = doc::Object{{"groups", doc::Array{"x-1", "y", "X-2"}}};
  EXPECT_THAT(groups(read_person(plain, userinfo, config)), ElementsAre("x-1", "y", "X-2")) << "userinfo goes first";
  config.filter_groups_regex = {"^x-", "-2$"};
  EXPECT_THAT(groups(read_person(plain, userinfo, config)), ElementsAre("x-1", "X-2"));
}

TEST(Person, IsTheSameInASession) {
  const objects::Person ann{.issuer = "argo-server",
                            .subject = "u",
                            .email = "e",
                            .name = "n",
                            .preferred_username = "p",
                            .email_verified = true,
                            .groups = {"g"},
                            .service_account_name = "s",
                            .service_account_namespace = "ns"};
  const Time later{std::chrono::seconds(5)};
  EXPECT_EQ(doc::to_json(session_claims(person_of_session(session_claims(ann, later)), later)),
            doc::to_json(session_claims(ann, later)));
  EXPECT_EQ(doc::to_json(session_claims({.issuer = "argo-server", .subject = "u"}, later)),
            R"({"iss":"argo-server","sub":"u","exp":5})");
}

TEST(Precedence, IsANumberOrNone) {
  const struct {
    const char* text;
    std::int64_t number;
  } rows[] = {{"", 0},    {"1", 1},   {"-3", -3}, {"+2", 2},
              {"1.5", 0}, {"one", 0}, {" 1", 0},  {"99999999999999999999", INT64_MAX}};
  for (const auto& [text, number] : rows) EXPECT_EQ(parse_precedence(text), number) << text;
}

class AccountRulesTest : public testing::Test {
 protected:
  void account(const std::string& ns, const std::string& name, const std::string& rule,
               const std::string& precedence = "") {
    doc::Object annotations;
    if (!rule.empty()) annotations[kRuleAnnotation] = rule;
    if (!precedence.empty()) annotations[kPrecedenceAnnotation] = precedence;
    fake_.create(
        cluster::kServiceAccounts,
        doc::Object{{"metadata", doc::Object{{"name", name}, {"namespace", ns}, {"annotations", annotations}}}},
        [](const Result<cluster::Object>&) {});
    executor_.run_ready();
  }
  void start() {
    auto started = AccountRules::start(executor_, fake_);
    ASSERT_TRUE(started);
    rules_ = std::move(*started);
  }
  static std::string told(const Result<const AccountRule*>& found) {
    if (!found) return "error: " + found.error().message;
    return *found ? (*found)->ns + "/" + (*found)->name : "none";
  }
  std::string at(std::string_view ns, const doc::Object& claims) { return told(rules_->find(ns, claims)); }
  std::string at(std::string_view home, std::string_view asked, const doc::Object& claims) {
    return told(rules_->find(home, asked, claims));
  }

  SimulatedExecutor executor_;
  FakeCluster fake_{executor_};
  std::unique_ptr<AccountRules> rules_;
  const doc::Object admin_{
      {"iss", "argo-server"}, {"sub", "u-1"}, {"email", "a@x.org"}, {"groups", doc::Array{"admin", "staff"}}};
  const doc::Object staff_{{"iss", "argo-server"}, {"sub", "u-2"}, {"groups", doc::Array{"staff"}}};
  const doc::Object nobody_{{"iss", "argo-server"}, {"sub", "u-3"}};
};

TEST_F(AccountRulesTest, HighestPrecedenceGoesFirst) {
  account("argo", "reader", "true");
  account("argo", "editor", "'staff' in groups", "1");
  account("argo", "admin", "'admin' in groups", "2");
  account("argo", "never", "false", "9");
  account("argo", "no-rule", "", "10");
  account("other", "king", "true", "100");
  start();
  EXPECT_EQ(at("argo", admin_), "argo/admin");
  EXPECT_EQ(at("argo", staff_), "argo/editor");
  EXPECT_EQ(at("empty", admin_), "none");
  EXPECT_THAT(at("argo", nobody_), HasSubstr("error: the rule of the service account argo/admin: "))
      << "a claim that is not there: as in the original nobody guesses";
}

TEST_F(AccountRulesTest, EvaluateClaims) {
  account("a", "x", "email != nil && email endsWith '@x.org'");
  account("b", "x", "sub == 'u-2' && iss == 'argo-server'");
  account("c", "x", "any(groups, {# startsWith 'ad'})");
  account("d", "x", "groups");
  account("e", "x", "'admin' in");
  account("f", "below", "true", "-1");
  account("f", "zero", "true", "none");
  account("g", "b", "true", "1");
  account("g", "a", "true", "1");
  account("h", "x", "sprig.env('HOME') != ''");
  start();
  EXPECT_EQ(at("a", admin_), "a/x");
  EXPECT_EQ(at("b", admin_), "none");
  EXPECT_EQ(at("b", staff_), "b/x");
  EXPECT_EQ(at("c", admin_), "c/x");
  EXPECT_EQ(at("c", staff_), "none");
  EXPECT_THAT(at("d", admin_), HasSubstr("error: the rule of the service account d/x")) << "no boolean";
  EXPECT_THAT(at("e", admin_), HasSubstr("error: the rule of the service account e/x")) << "no expression";
  EXPECT_EQ(at("f", admin_), "f/zero");
  EXPECT_EQ(at("g", admin_), "g/a") << "of the same precedence the first by name";
  EXPECT_THAT(at("h", admin_), HasSubstr("error: ")) << "rules know expr-lang's functions alone";
}

TEST_F(AccountRulesTest, NamespacesMayHaveTheirOwn) {
  account("argo", "login", "'staff' in groups", "1");
  account("team", "team", "'admin' in groups", "2");
  account("low", "low", "true", "0");
  account("same", "same", "true", "1");
  account("broken", "broken", "nonsense(", "5");
  start();
  EXPECT_EQ(at("argo", "", admin_), "argo/login") << "no delegation";
  EXPECT_EQ(at("argo", "argo", admin_), "argo/login");
  EXPECT_EQ(at("argo", "team", admin_), "team/team");
  EXPECT_EQ(at("argo", "team", staff_), "argo/login");
  EXPECT_EQ(at("argo", "low", admin_), "argo/login") << "a lower precedence";
  EXPECT_EQ(at("argo", "same", admin_), "argo/login") << "the same precedence";
  EXPECT_EQ(at("argo", "broken", admin_), "argo/login") << "what a namespace has broken is broken there alone";
  EXPECT_EQ(at("nowhere", "low", nobody_), "low/low") << "without a login account that of the namespace will do";
  EXPECT_EQ(at("nowhere", "nowhere-else", nobody_), "none");
}

TEST_F(AccountRulesTest, FollowTheirAccounts) {
  start();
  EXPECT_EQ(at("a", admin_), "none");
  account("a", "x", "true", "1");
  EXPECT_EQ(at("a", admin_), "a/x");
  const cluster::Key key{&cluster::kServiceAccounts, "a", "x"};
  fake_.patch(key, cluster::PatchType::kMerge,
              doc::Object{{"metadata", doc::Object{{"annotations", doc::Object{{kRuleAnnotation, "false"}}}}}},
              [](const Result<cluster::Object>&) {});
  executor_.run_ready();
  EXPECT_EQ(at("a", admin_), "none");
  account("a", "y", "true");
  fake_.end_watches({Code::kOutOfRange, "too old"});
  executor_.run_ready();
  EXPECT_EQ(at("a", admin_), "a/y") << "what was missed is read again";
  fake_.remove({&cluster::kServiceAccounts, "a", "y"}, {}, [](const Result<cluster::Object>&) {});
  executor_.run_ready();
  EXPECT_EQ(at("a", admin_), "none");
}

}  // namespace
}  // namespace tiphys::server

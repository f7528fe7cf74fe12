#include "argo/webhooks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/encoding.h"

namespace tiphys::argo {
namespace {

constexpr std::string_view kBody = R"({"action": "opened"})";
/// echo -n BODY | openssl dgst -sha256 -hmac shh
constexpr const char* kSignature = "47de19791f765c33d1732480e22858256e477f1e9816f1b991a095f365cfe5b6";

doc::Value secret_of(std::string_view type, std::string_view secret) {
  const std::string yaml = fmt::format("type: {}\nsecret: {}\n", type, secret);
  return doc::Object{{"data", doc::Object{{"robot", encode_base64(yaml)}}}};
}

struct Case {
  const char* rule;
  const char* type;
  std::vector<ExtraHeader> headers;
  bool signed_by_robot;
  const char* secret = "shh";
  std::string_view body = kBody;
};

TEST(Webhooks, AreSignedAsTheirHostsDo) {
  const std::string with_kind = std::string("sha256=") + kSignature;
  for (const Case& row : {
           Case{"GitHub signs the body",
                "github",
                {{"x-github-event", "push"}, {"x-hub-signature-256", with_kind}},
                true},
           Case{"of an event", "github", {{"x-hub-signature-256", with_kind}}, false},
           Case{"with the secret",
                "github",
                {{"x-github-event", "push"}, {"x-hub-signature-256", with_kind}},
                false,
                "other"},
           Case{"and all of it",
                "github",
                {{"x-github-event", "push"}, {"x-hub-signature-256", with_kind}},
                false,
                "shh",
                "{}"},
           Case{"its old signature is none",
                "github",
                {{"x-github-event", "push"}, {"x-hub-signature", with_kind}},
                false},
           Case{"Bitbucket Server signs the body",
                "bitbucketserver",
                {{"x-event-key", "pr:opened"}, {"x-hub-signature", with_kind}},
                true},
           Case{"and not a ping alone", "bitbucketserver", {{"x-event-key", "diagnostics:ping"}}, false},
           Case{
               "GitLab sends the secret", "gitlab", {{"x-gitlab-event", "Push Hook"}, {"x-gitlab-token", "shh"}}, true},
           Case{"the whole secret", "gitlab", {{"x-gitlab-event", "Push Hook"}, {"x-gitlab-token", "sh"}}, false},
           Case{"Bitbucket sends its hook's id",
                "bitbucket",
                {{"x-event-key", "repo:push"}, {"x-hook-uuid", "shh"}},
                true},
           Case{"who has no secret signs nothing",
                "gitlab",
                {{"x-gitlab-event", "Push Hook"}, {"x-gitlab-token", ""}},
                false,
                "''"},
           Case{"nor by an empty one",
                "github",
                {{"x-github-event", "push"},
                 {"x-hub-signature-256", "4ed4bbb53c50371e159fc92d3b61c0b7aaf65299cbf8abf3e3916653b91bcff1"}},
                false,
                "''"},
           Case{"nothing is signed by nobody", "github", {}, false},
       }) {
    const auto account = webhook_account(secret_of(row.type, row.secret), row.headers, row.body);
    ASSERT_TRUE(account.has_value()) << row.rule << ": " << account.error().message;
    EXPECT_EQ(*account, row.signed_by_robot ? "robot" : "") << row.rule;
  }
}

TEST(Webhooks, AClientThatCannotBeReadIsTold) {
  const std::vector<ExtraHeader> headers{{"x-github-event", "push"}};
  EXPECT_EQ(webhook_account(secret_of("gitea", "shh"), headers, kBody).error().message,
            "Secret argo-workflows-webhook-clients: robot: type \"gitea\" is none of github, gitlab, bitbucket, "
            "bitbucketserver");
  const doc::Value broken = doc::Object{{"data", doc::Object{{"robot", encode_base64("secret: [shh")}}}};
  EXPECT_EQ(webhook_account(broken, headers, kBody).error().message,
            "Secret argo-workflows-webhook-clients: robot: it is no YAML");
  EXPECT_EQ(webhook_account(doc::Object(), headers, kBody).value(), "");
}

}  // namespace
}  // namespace tiphys::argo

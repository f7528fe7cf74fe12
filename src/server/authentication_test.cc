// How callers are let in, by the modes of authentication.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/simulated_executor.h"
#include "server/access.h"
#include "server/auth_mode.h"
#include "server/cookies.h"
#include "server/entrance.h"
#include "server/server_account.h"
#include "server/testing.h"

namespace tiphys::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(AuthModes, AreWhatTheFlagSays) {
  const auto told = [](std::vector<std::string> words) {
    const auto modes = AuthModes::parse(words);
    if (!modes) return modes.error().message;
    return std::string(modes->client ? "client " : "") + (modes->server ? "server " : "") + (modes->sso ? "sso " : "");
  };
  EXPECT_EQ(told({}), "client ");
  EXPECT_EQ(told({"server"}), "server ");
  EXPECT_EQ(told({"sso", "client"}), "client sso ");
  EXPECT_EQ(told({"hybrid"}), "client server ");
  EXPECT_THAT(told({"client", "none"}), HasSubstr("\"none\" is none of client, server, sso and hybrid"));
}

TEST(AuthModes, TakeRequestsAsTheOriginal) {
  constexpr auto kClient = AuthMode::kClient, kServer = AuthMode::kServer, kSso = AuthMode::kSso;
  const struct {
    const char* name;
    AuthModes modes;
    const char* authorization;
    std::optional<AuthMode> mode;
  } rows[] = {
      {"client takes tokens", {true, false, false}, "Bearer t", kClient},
      {"in any case", {true, false, false}, "bearer t", kClient},
      {"and Basic", {true, false, false}, "Basic t", kClient},
      {"not nothing", {true, false, false}, "", std::nullopt},
      {"not another scheme", {true, false, false}, "Digest t", std::nullopt},
      {"server takes nothing", {false, true, false}, "", kServer},
      {"and whatever it is", {false, true, false}, "Bearer t", kServer},
      {"sso takes sessions", {false, false, true}, "Bearer v2:t", kSso},
      {"not tokens", {false, false, true}, "Bearer t", std::nullopt},
      {"not nothing either", {false, false, true}, "", std::nullopt},
      {"sessions go before tokens", {true, true, true}, "Bearer v2:t", kSso},
      {"tokens before the server", {true, true, true}, "Bearer t", kClient},
      {"the server is left", {true, true, true}, "", kServer},
      {"without sso a session is a token", {true, false, false}, "Bearer v2:t", kClient},
  };
  for (const auto& [name, modes, authorization, mode] : rows) EXPECT_EQ(modes.of(authorization), mode) << name;
}

TEST(Cookies, AreWrittenAndReadAsGoDoes) {
  EXPECT_THAT(cookies_named("a=1; authorization=\"Bearer v2:x\"; b=2", "authorization"), ElementsAre("Bearer v2:x"));
  EXPECT_THAT(cookies_named("authorization=Bearer t;authorization=u", "authorization"), ElementsAre("Bearer t", "u"));
  EXPECT_THAT(cookies_named("xauthorization=1; authorization; Authorization=2", "authorization"), ElementsAre());
  EXPECT_THAT(cookies_named("", "authorization"), ElementsAre());
  EXPECT_EQ(
      set_cookie({.name = "authorization", .value = "Bearer v2:x", .path = "/", .life = std::chrono::seconds(60)}),
      "authorization=\"Bearer v2:x\"; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict");
  EXPECT_EQ(set_cookie({.name = "s", .value = "v", .path = "/oauth2/", .secure = false, .strict = false}),
            "s=v; Path=/oauth2/; Max-Age=0; HttpOnly; SameSite=Lax");
}

TEST(SameOrigin, IsWhatABrowserSays) {
  const struct {
    const char* name;
    std::string_view origin, host, fetch_site;
    bool same;
  } rows[] = {
      {"no browser", "", "plane:2746", "", true},
      {"its own page", "https://plane:2746", "plane:2746", "", true},
      {"in any case", "https://Plane:2746", "plane:2746", "", true},
      {"another host", "https://evil.example.com", "plane:2746", "", false},
      {"another port", "https://plane:8080", "plane:2746", "", false},
      {"a longer name", "https://plane:2746.evil.example.com", "plane:2746", "", false},
      {"a sandboxed page", "null", "plane:2746", "", false},
      {"no origin at all", "plane:2746", "plane:2746", "", false},
      {"behind a proxy that changes the host", "https://argo.example.com", "127.0.0.1:2746", "same-origin", true},
      {"by hand", "", "plane:2746", "none", true},
      {"another site", "", "plane:2746", "cross-site", false},
      {"a page of a sibling", "", "plane:2746", "same-site", false},
      {"an unknown word", "https://plane:2746", "plane:2746", "near", false},
  };
  for (const auto& [name, origin, host, fetch_site, same] : rows) {
    EXPECT_EQ(is_same_origin(origin, host, fetch_site), same) << name;
  }
}

class EntranceTest : public testing::Test {
 protected:
  struct Asked {
    std::string method = "GET", target = "/api/v1/workflows/default";
    std::string authorization{}, cookie{}, origin{}, fetch_site{};
    bool grpc = false;
  };
  /// Who is let in: a name, "owner", or the code of what is answered.
  std::string ask(const Asked& asked) {
    Request request{.method = asked.method, .target = asked.target};
    if (asked.grpc) request.grpc.emplace();
    const auto caller = let_in(entrance_, request,
                               {.host = "127.0.0.1:2746",
                                .origin = asked.origin,
                                .authorization = asked.authorization,
                                .cookie = asked.cookie,
                                .fetch_site = asked.fetch_site});
    if (!caller) return std::to_string(caller.error().code);
    return *caller ? (*caller)->name : "owner";
  }
  void use(AuthModes modes, std::optional<ServerAccount::Name> name = std::nullopt) {
    account_.emplace(fake_, std::move(name));
    served_.auth = {.modes = modes, .server_account = &*account_};
  }

  SimulatedExecutor executor_;
  FakeCluster fake_{executor_};
  objects::Kinds kinds_;
  objects::ObjectApi api_{{.executor = executor_, .store = fake_, .kinds = kinds_}};
  std::optional<ServerAccount> account_;
  Served served_{.executor = executor_, .api = api_};
  Entrance entrance_{served_, std::make_shared<const Gate>(executor_, api_, "secret", nullptr), nullptr};
};

constexpr const char* kPods = "/api/v1/namespaces/default/pods";

TEST_F(EntranceTest, ClientsBringTokens) {
  EXPECT_EQ(ask({.authorization = "Bearer secret"}), "tiphys:admin");
  EXPECT_EQ(ask({.cookie = "authorization=Bearer secret"}), "tiphys:admin") << "the original's UI keeps it so";
  EXPECT_EQ(ask({.cookie = "authorization=\"Bearer secret\""}), "tiphys:admin");
  EXPECT_EQ(ask({}), "401");
  EXPECT_EQ(ask({.authorization = "Bearer wrong", .cookie = "authorization=Bearer secret"}), "401")
      << "who shows a header has shown what he has";
  EXPECT_EQ(ask({.authorization = "Bearer v2:x"}), "401");
  EXPECT_EQ(ask({.method = "POST", .grpc = true}), "401");
  EXPECT_EQ(ask({.target = kPods, .authorization = "Bearer secret"}), "tiphys:admin");
  EXPECT_EQ(ask({.target = kPods, .cookie = "authorization=Bearer secret"}), "401")
      << "Kubernetes' API knows no cookies";
}

TEST_F(EntranceTest, OtherPagesDoNotUseABrowsersCookie) {
  const std::string cookie = "authorization=Bearer secret";
  EXPECT_EQ(ask({.method = "POST", .cookie = cookie}), "tiphys:admin") << "no browser";
  EXPECT_EQ(ask({.method = "POST", .cookie = cookie, .origin = "http://127.0.0.1:2746"}), "tiphys:admin");
  EXPECT_EQ(ask({.method = "POST", .cookie = cookie, .fetch_site = "same-origin"}), "tiphys:admin");
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH"}) {
    EXPECT_EQ(ask({.method = method, .cookie = cookie, .origin = "http://127.0.0.1:8080"}), "403") << method;
    EXPECT_EQ(ask({.method = method, .cookie = cookie, .fetch_site = "cross-site"}), "403") << method;
  }
  EXPECT_EQ(ask({.method = "POST", .authorization = "Bearer secret", .fetch_site = "cross-site"}), "tiphys:admin")
      << "no page can make a browser send that";
  EXPECT_EQ(
      ask({.method = "POST", .target = "/upload-artifacts/default/t/a", .cookie = cookie, .fetch_site = "cross-site"}),
      "403");
  EXPECT_EQ(ask({.method = "POST", .target = "/oauth2/logout", .fetch_site = "cross-site"}), "403");
  EXPECT_EQ(ask({.method = "POST", .target = "/oauth2/logout"}), "system:anonymous");
}

TEST_F(EntranceTest, TheServersOwnAccountIsForWhoBringsNothing) {
  use({.client = false, .server = true});
  EXPECT_EQ(ask({}), "owner");
  EXPECT_EQ(ask({.target = "/artifacts/default/w/n/a"}), "owner");
  EXPECT_EQ(ask({.method = "POST", .target = "/api/v1/events/default/d"}), "owner");
  EXPECT_EQ(ask({.method = "POST", .grpc = true}), "owner");
  EXPECT_EQ(ask({.authorization = "Bearer wrong"}), "owner") << "without the mode client nobody looks at tokens";
  EXPECT_EQ(ask({.target = kPods}), "401") << "of Kubernetes' API there are no modes";
  EXPECT_EQ(ask({.target = "/version"}), "401");
  for (const char* target :
       {"/api/v1/events", "/api/v1/events/", "/api/v1/events/a", "/api/v1/events/a/b/c",
        "/api/v1/namespaces/default/events", "/api/v1//events/a/b"}) {
    EXPECT_EQ(ask({.method = "POST", .target = target}), "401") << target;
  }
  EXPECT_EQ(ask({.method = "POST", .origin = "http://localhost:8080"}), "403")
      << "a page of another server of this host";
  EXPECT_EQ(ask({.method = "POST", .fetch_site = "cross-site"}), "403");
  EXPECT_EQ(ask({.method = "POST", .fetch_site = "same-origin"}), "owner");

  use({.client = true, .server = true});
  EXPECT_EQ(ask({.authorization = "Bearer secret"}), "tiphys:admin");
  EXPECT_EQ(ask({.authorization = "Bearer wrong"}), "401");

  use({.client = false, .server = true}, ServerAccount::Name{"default", "guests"});
  EXPECT_EQ(ask({}), "401") << "there is no such account";
  fake_.create(cluster::kServiceAccounts,
               doc::Object{{"metadata", doc::Object{{"name", "guests"}, {"namespace", "default"}}}},
               [](const Result<cluster::Object>&) {});
  EXPECT_EQ(ask({}), "system:serviceaccount:default:guests");
}

}  // namespace
}  // namespace tiphys::server

#include "server/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/percent.h"
#include "cluster/api_request.h"
#include "cluster/api_status.h"
#include "doc/value.h"
#include "server/access.h"
#include "server/client_streams.h"
#include "server/route.h"

namespace tiphys::server {
namespace {

TEST(Url, decodes_escapes) {
  struct Row {
    const char* rule;
    const char* text;
    const char* expected;  // null: an error
  };
  const Row rows[] = {
      {"plain text stays", "abc", "abc"},
      {"an escape is a byte", "a%2Fb", "a/b"},
      {"lower case hexadecimal is taken", "%c3%a4", "ä"},
      {"a plus is a space in queries", "a+b", "a b"},
      {"an escape at the end is taken", "%41", "A"},
      {"a cut escape is an error", "a%4", nullptr},
      {"a lone percent is an error", "%", nullptr},
      {"other letters are an error", "%zz", nullptr},
  };
  for (const auto& row : rows) {
    const auto decoded = percent_decode(row.text, true);
    ASSERT_EQ(decoded.has_value(), row.expected != nullptr) << row.rule;
    if (decoded) {
      EXPECT_EQ(*decoded, row.expected) << row.rule;
    }
  }
}

TEST(Url, encodes_what_it_decodes) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(percent_encode(all), true).value(), all);
}

TEST(Url, takes_targets_apart) {
  const Target target = Target::parse("/api//v1/pods/a%20b/?watch=true&x=1&x=2&flag&l=a%3Db,c").value();
  EXPECT_THAT(target.path, testing::ElementsAre("api", "v1", "pods", "a b"));
  EXPECT_TRUE(target.flag("watch"));
  EXPECT_EQ(target.value("x"), "1");
  EXPECT_EQ(target.value("l"), "a=b,c");
  EXPECT_TRUE(target.flag("flag"));
  EXPECT_FALSE(target.flag("none"));
  std::string deep;
  for (int i = 0; i < 256; ++i) deep += "//a";
  EXPECT_TRUE(Target::parse(deep));
  EXPECT_FALSE(Target::parse(deep + "/a")) << "segments are bounded";
}

TEST(Route, names_objects_and_collections) {
  struct Row {
    const char* rule;
    const char* path;
    const char* expected;  // "plural ns name subresource"; null: not found
  };
  const Row rows[] = {
      {"a collection in a namespace", "/api/v1/namespaces/n/pods", "pods n  "},
      {"an object in a namespace", "/api/v1/namespaces/n/configmaps/c", "configmaps n c "},
      {"a collection over all namespaces", "/apis/argoproj.io/v1alpha1/workflows", "workflows   "},
      {"a group's object", "/apis/argoproj.io/v1alpha1/namespaces/n/workflows/w", "workflows n w "},
      {"a pod's log", "/api/v1/namespaces/n/pods/p/log", "pods n p log"},
      {"the namespaces", "/api/v1/namespaces", "namespaces   "},
      {"a namespace", "/api/v1/namespaces/n", "namespaces  n "},
      {"a trailing slash is nothing", "/api/v1/namespaces/n/", "namespaces  n "},
      {"an object needs its namespace", "/api/v1/pods/p", nullptr},
      {"cluster scope takes no namespace", "/api/v1/namespaces/n/namespaces/m", nullptr},
      {"an unknown plural", "/api/v1/namespaces/n/spoons", nullptr},
      {"an unknown group", "/apis/example.org/v1/namespaces/n/pods", nullptr},
      {"another version", "/api/v2/namespaces/n/pods", nullptr},
      {"a namespace's status", "/api/v1/namespaces/n/status", "namespaces  n status"},
      {"only pods have logs", "/api/v1/namespaces/n/configmaps/c/log", nullptr},
      {"an unknown subresource", "/api/v1/namespaces/n/pods/p/shell", nullptr},
      {"nothing", "/", nullptr},
      {"a group alone", "/apis/argoproj.io/v1alpha1", nullptr},
  };
  const objects::Kinds kinds;
  for (const auto& row : rows) {
    const auto route = find_route(kinds, Target::parse(row.path).value());
    ASSERT_EQ(route.has_value(), row.expected != nullptr) << row.rule;
    if (!route) {
      EXPECT_EQ(route.error().code, Code::kNotFound) << row.rule;
      continue;
    }
    EXPECT_EQ(
        std::string(route->kind->resource->plural) + " " + route->ns + " " + route->name + " " + route->subresource,
        row.expected)
        << row.rule;
    if (route->subresource.empty()) {
      const auto again = find_route(kinds, Target::parse(cluster::api_path(route->key())).value());
      ASSERT_TRUE(again) << row.rule;
      EXPECT_EQ(again->key(), route->key()) << row.rule;
    }
  }
}

TEST(ApiStatus, every_code_comes_back) {
  for (const Code code :
       {Code::kInvalidArgument, Code::kDeadlineExceeded, Code::kNotFound, Code::kAlreadyExists, Code::kPermissionDenied,
        Code::kResourceExhausted, Code::kFailedPrecondition, Code::kAborted, Code::kOutOfRange, Code::kUnimplemented,
        Code::kInternal, Code::kUnavailable, Code::kUnauthenticated}) {
    const Error error{code, "because"};
    EXPECT_EQ(cluster::error_of(cluster::http_code(code), cluster::status_json(error)), error) << code_name(code);
  }
  EXPECT_EQ(cluster::http_code(Code::kDataLoss), 500u) << "others are the server's fault";
  EXPECT_EQ(cluster::error_of(404, "<html>").code, Code::kNotFound) << "without a Status the HTTP code tells";
  EXPECT_EQ(cluster::error_of(599, "").code, Code::kInternal);
}

TEST(Access, tokens) {
  struct Row {
    const char* rule;
    const char* header;
    bool expected;
  };
  const Row rows[] = {
      {"the token", "Bearer secret", true},
      {"the scheme in any case", "bearer secret", true},
      {"no header", "", false},
      {"another token", "Bearer Secret", false},
      {"a prefix of it", "Bearer secre", false},
      {"it and more", "Bearer secrets", false},
      {"it twice", "Bearer secretsecret", false},
      {"no scheme", "secret", false},
      {"another scheme", "Basic secret", false},
      {"an empty token", "Bearer ", false},
  };
  for (const auto& row : rows) EXPECT_EQ(bears_token(row.header, "secret"), row.expected) << row.rule;
  EXPECT_FALSE(bears_token("Bearer ", "")) << "an empty secret opens nothing";
}

TEST(Access, hosts) {
  for (const char* host : {"localhost", "LOCALHOST:2746", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:80",
                           "127.96.3.4:443", "kubernetes.default.svc", "kubernetes:443"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host : {"", "example.org", "127.0.0.1.example.org", "localhost.example.org:80", "127.0.0.2",
                           "127.96.3", "127.96.evil.org", "kubernetes.example.org", "localhost:", "localhost:1x",
                           "localhost:80@evil", "[::1", "[::2]", "[::1]x", "127.0.0.1:123456"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

TEST(Query, selectors_come_back) {
  for (const char* text : {"", "a=b", "a=b,c!=d", "e in (f,g),h,!i", "j>3,k<4", "a notin (b)"}) {
    const auto selector = cluster::Selector::parse(text).value();
    const auto again = cluster::Selector::parse(cluster::selector_text(selector)).value();
    EXPECT_EQ(cluster::selector_text(again), cluster::selector_text(selector)) << text;
    EXPECT_EQ(again.requirements().size(), selector.requirements().size()) << text;
  }
}

}  // namespace
}  // namespace tiphys::server

#include "http/url.h"

#include <gtest/gtest.h>

namespace tiphys::http {
namespace {

TEST(Url, IsTakenApart) {
  struct Row {
    const char* text;
    Url url;
  };
  const Row rows[] = {
      {"https://k:6443", {"https", "", "k", 6443, ""}},
      {"HTTPS://k/a/b/", {"https", "", "k", 443, "/a/b"}},
      {"k:80", {"http", "", "k", 80, ""}},
      {"http://[::1]:8080/x", {"http", "", "::1", 8080, "/x"}},
      {"http://a:b%40@proxy:3128", {"http", "a:b@", "proxy", 3128, ""}},
  };
  for (const Row& row : rows) {
    const auto url = Url::parse(row.text);
    ASSERT_TRUE(url.has_value()) << url.error().message;
    EXPECT_EQ(url->scheme, row.url.scheme) << row.text;
    EXPECT_EQ(url->user, row.url.user) << row.text;
    EXPECT_EQ(url->host, row.url.host) << row.text;
    EXPECT_EQ(url->port, row.url.port) << row.text;
    EXPECT_EQ(url->path, row.url.path) << row.text;
  }
  for (const char* text :
       {"", "https://", "https://k:port", "https://k:99999", "https://k:0", "https://[::1", "https://k?a=b"}) {
    EXPECT_FALSE(Url::parse(text).has_value()) << text;
  }
}

TEST(Query, IsBuiltUp) {
  Query query;
  EXPECT_EQ(query.text(), "");
  query.add("a", "");
  query.add("b", "c d");
  query.add("e", "&");
  EXPECT_EQ(query.text(), "?b=c%20d&e=%26");
}

}  // namespace
}  // namespace tiphys::http

#include "server/cookies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::server {
namespace {

TEST(Cookies, ValuesOfAName) {
  struct Row {
    const char* rule;
    const char* header;
    std::vector<std::string_view> expected;
  };
  const Row rows[] = {
      {"no header", "", {}},
      {"the cookie", "token=Bearer abc", {"Bearer abc"}},
      {"among others", "a=1; token=x;b=2", {"x"}},
      {"each of the name", "token=x; token=y", {"x", "y"}},
      {"another name that ends or begins with it", "mytoken=x; tokens=y", {}},
      {"in quotes", R"(token="Bearer abc")", {"Bearer abc"}},
      {"a quote alone", "token=\"", {"\""}},
      {"what is empty", "token=; =x; ; token", {""}},
      {"equals signs belong to the value", "token=a=b==", {"a=b=="}},
  };
  for (const Row& row : rows) EXPECT_EQ(cookies_named(row.header, "token"), row.expected) << row.rule;
}

}  // namespace
}  // namespace tiphys::server

#include "server/rate_limit.h"

#include <gtest/gtest.h>

namespace tiphys::server {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart = Time{1'700'000'000s};

TEST(RateLimit, CountsEachAddressBySeconds) {
  RateLimit limit(2);
  EXPECT_TRUE(limit.take("a", kStart));
  EXPECT_TRUE(limit.take("a", kStart + 500ms));
  EXPECT_FALSE(limit.take("a", kStart + 999ms));
  EXPECT_TRUE(limit.take("b", kStart + 999ms)) << "another address";
  EXPECT_TRUE(limit.take("a", kStart + 1s)) << "another second";
  EXPECT_TRUE(limit.take("a", kStart + 1s));
  EXPECT_FALSE(limit.take("a", kStart + 1s));
}

TEST(RateLimit, ForgetsAddressesThatHaveGone) {
  RateLimit limit(1);
  for (int i = 0; i < 100'000; ++i) limit.take(std::to_string(i), kStart + i * 10ms);
  EXPECT_LE(limit.size(), 1024u);
}

}  // namespace
}  // namespace tiphys::server

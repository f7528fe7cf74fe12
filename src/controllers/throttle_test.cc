#include "controllers/throttle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tiphys::controllers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Time at(int seconds) {
  return Time(std::chrono::seconds(seconds));
}

std::vector<std::string> admitted(Throttle& throttle) {
  std::vector<std::string> keys;
  while (auto key = throttle.admit()) keys.push_back(std::move(*key));
  return keys;
}

TEST(Throttle, HigherPrioritiesThenOlderOnesGoFirst) {
  Throttle throttle(0, 0);
  throttle.add("a/young", 0, at(3));
  throttle.add("a/old", 0, at(1));
  throttle.add("b/twin", 0, at(1));
  throttle.add("a/urgent", 5, at(9));
  EXPECT_THAT(admitted(throttle), ElementsAre("a/urgent", "a/old", "b/twin", "a/young"));
}

TEST(Throttle, KeepsToTheLimits) {
  Throttle throttle(3, 2);
  for (int i = 0; i < 3; ++i) throttle.add("a/" + std::to_string(i), 0, at(i));
  throttle.add("b/0", -1, at(0));
  throttle.add("b/1", -1, at(1));
  EXPECT_THAT(admitted(throttle), ElementsAre("a/0", "a/1", "b/0")) << "two of a namespace, three of all";
  EXPECT_TRUE(throttle.waits("a/2"));
  throttle.remove("b/0");
  EXPECT_THAT(admitted(throttle), ElementsAre("b/1")) << "the namespace of the one that comes before is full";
  throttle.remove("a/0");
  EXPECT_THAT(admitted(throttle), ElementsAre("a/2"));
  EXPECT_FALSE(throttle.waits("a/2"));
}

TEST(Throttle, ANamespacesOwnLimitGoesFirst) {
  Throttle throttle(0, 1);
  for (int i = 0; i < 4; ++i) throttle.add("a/" + std::to_string(i), 0, at(i));
  throttle.set_limit("a", 2);
  EXPECT_THAT(admitted(throttle), ElementsAre("a/0", "a/1"));
  throttle.set_limit("a", std::nullopt);
  throttle.remove("a/0");
  EXPECT_THAT(admitted(throttle), IsEmpty());
  throttle.set_limit("a", 0);
  EXPECT_THAT(admitted(throttle), ElementsAre("a/2", "a/3"));
}

TEST(Throttle, WhatHasBegunCountsWhateverTheLimits) {
  Throttle throttle(1, 0);
  throttle.begun("a/1");
  throttle.begun("a/2");
  throttle.add("a/3", 0, at(0));
  throttle.add("a/1", 9, at(0));
  throttle.remove("a/1");
  EXPECT_THAT(admitted(throttle), IsEmpty());
  throttle.remove("a/2");
  EXPECT_THAT(admitted(throttle), ElementsAre("a/3"));
}

TEST(Throttle, APriorityMayChangeAndOneMayLeave) {
  Throttle throttle(1, 0);
  throttle.begun("a/0");
  throttle.add("a/1", 0, at(1));
  throttle.add("a/2", 0, at(2));
  throttle.add("a/3", 0, at(3));
  throttle.add("a/3", 7, at(3));
  throttle.remove("a/1");
  throttle.remove("a/0");
  EXPECT_THAT(admitted(throttle), ElementsAre("a/3"));
  throttle.remove("a/3");
  EXPECT_THAT(admitted(throttle), ElementsAre("a/2"));
}

}  // namespace
}  // namespace tiphys::controllers

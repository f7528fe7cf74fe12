#include "base/strings.h"

#include <gtest/gtest.h>

namespace tiphys {
namespace {

TEST(Strings, SplitsAndTrims) {
  EXPECT_EQ(split("a,b,,c", ','), (std::vector<std::string_view>{"a", "b", "", "c"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  const std::vector<std::string> parts{"a", "b"};
  EXPECT_EQ(join(parts, ", "), "a, b");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Strings, FindsTheWordThatWasMeant) {
  struct Case {
    const char* rule;
    const char* word;
    const char* expected;
  };
  const std::vector<std::string> known{"train", "evaluate", "entrypoint", "x"};
  for (const auto& [rule, word, expected] : {
           Case{"two letters swapped", "trian", "train"},
           Case{"one letter missing", "entrypont", "entrypoint"},
           Case{"too far from all", "deploy", ""},
           Case{"a short word needs to be near", "abc", ""},
           Case{"too long to compare", "evaluateevaluateevaluateevaluateevaluateevaluateevaluateevaluateevaluate", ""},
       }) {
    EXPECT_EQ(nearest(word, known).value_or(""), expected) << rule;
  }
  EXPECT_EQ(did_you_mean("trian", known), "; did you mean \"train\"?");
  EXPECT_EQ(did_you_mean("deploy", known), "");
}

}  // namespace
}  // namespace tiphys

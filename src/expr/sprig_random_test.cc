#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "expr/ambient.h"
#include "expr/condition.h"

namespace tiphys::expr {
namespace {

/// Evaluates with the chance of one seed.
class SprigRandom : public testing::Test {
 protected:
  Result<doc::Value> eval(std::string_view text) {
    scope_.set_ambient(&ambient_);
    return eval_expression(text, scope_);
  }
  std::string text(std::string_view expression) { return std::string(eval(expression).value().as_string()); }

  SeededRandom random_{1};
  Ambient ambient_{.now = {}, .random = &random_};
  Scope scope_;
};

TEST_F(SprigRandom, ASeedRepeatsARun) {
  const std::string expression =
      "sprig.uuidv4() + sprig.randAscii(20) + sprig.randBytes(9) + sprig.shuffle('abcdefgh')";
  const std::string first = text(expression);
  EXPECT_NE(text(expression), first);
  random_ = SeededRandom(1);
  EXPECT_EQ(text(expression), first);
}

TEST_F(SprigRandom, EveryLetterComes) {
  const std::string drawn = text("sprig.randAscii(10000)");
  const std::set<char> letters(drawn.begin(), drawn.end());
  EXPECT_EQ(letters.size(), 95u);
  EXPECT_EQ(*letters.begin(), ' ');
  EXPECT_EQ(*letters.rbegin(), '~');
}

TEST_F(SprigRandom, NumbersFillTheirRange) {
  std::set<std::int64_t> drawn;
  for (int i = 0; i < 200; ++i) drawn.insert(eval("sprig.randInt(-2, 3)").value().as_int64());
  EXPECT_EQ(drawn, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
}

TEST_F(SprigRandom, AShuffleKeepsItsLetters) {
  std::string shuffled = text("sprig.shuffle('abcdefghijklmnop')");
  EXPECT_NE(shuffled, "abcdefghijklmnop");
  std::ranges::sort(shuffled);
  EXPECT_EQ(shuffled, "abcdefghijklmnop");
}

TEST_F(SprigRandom, CountsAreBounded) {
  for (const char* expression : {"sprig.randAlpha(2000000)", "sprig.randBytes(9000000000)"}) {
    EXPECT_EQ(eval(expression).error().code, Code::kResourceExhausted) << expression;
  }
  EXPECT_FALSE(eval("sprig.randBytes(-1)"));
  EXPECT_EQ(text("sprig.randAlpha(-1)"), "");
}

}  // namespace
}  // namespace tiphys::expr

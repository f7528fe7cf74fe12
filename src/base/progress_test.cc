#include "base/progress.h"

#include <gtest/gtest.h>

namespace tiphys {
namespace {

TEST(Progress, IsTwoWholeNumbers) {
  for (const char* text : {"0/1", "1/1", "50/100", "9223372036854775807/9223372036854775807"}) {
    const auto parsed = parse_progress(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(to_text(*parsed), text);
  }
  for (const char* text : {"", "/", "1", "1/", "/1", "0/0", "2/1", "-1/1", "0/-1", "a/1", "1/1 ", " 1/1", "1/2/3",
                           "1.5/2", "0/9223372036854775808"}) {
    EXPECT_FALSE(parse_progress(text)) << text;
  }
}

}  // namespace
}  // namespace tiphys

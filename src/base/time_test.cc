#include "base/time.h"

#include <gtest/gtest.h>

namespace tiphys {
namespace {

using namespace std::chrono_literals;

TEST(Time, FormatsAndParsesRfc3339) {
  struct Case {
    const char* text;
    const char* back;
  };
  for (const auto& [text, back] :
       {Case{"2026-11-24T11:52:54Z", "2026-11-24T11:52:54Z"}, Case{"2026-11-24T11:52:54.25Z", "2026-11-24T11:52:54Z"},
        Case{"2026-11-24T13:52:54+02:00", "2026-11-24T11:52:54Z"}}) {
    const auto time = parse_rfc3339(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(format_rfc3339(*time), back);
  }
  EXPECT_EQ(format_rfc3339(Time{}), "");
  EXPECT_EQ(format_rfc3339_micro(*parse_rfc3339("2026-01-01T00:00:00.000123Z")), "2026-01-01T00:00:00.000123Z");
}

TEST(Time, RejectsWhatIsNotRfc3339) {
  for (const char* text :
       {"", "2026-11-24", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-24T11:52:54",
        "2026-11-24T11:52:54Zx", "0001-01-01T00:00:00Z", "1677-12-31T23:59:59Z", "2262-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Time, ReadsGoDurations) {
  struct Case {
    const char* text;
    Duration value;
    const char* back;
  };
  for (const auto& [text, value, back] :
       {Case{"90s", 90s, "1m30s"}, Case{"1.5h", 90min, "1h30m0s"}, Case{"2h45m", 165min, "2h45m0s"},
        Case{"300ms", 300ms, "300ms"}, Case{"-1m", -1min, "-1m0s"}, Case{"0", 0s, "0s"}, Case{"1us", 1us, "1\u00b5s"},
        Case{"1500ms", 1500ms, "1.5s"}, Case{"1.001101005s", 1001101005ns, "1.001101005s"},
        Case{"0.1000000000000000000000000h", 6min, "6m0s"},
        Case{"9223372036854775807ns", Duration::max(), "2562047h47m16.854775807s"},
        Case{"-9223372036854775808ns", Duration::min(), "-2562047h47m16.854775808s"}}) {
    ASSERT_TRUE(parse_go_duration(text)) << text;
    EXPECT_EQ(*parse_go_duration(text), value);
    EXPECT_EQ(format_go_duration(value), back);
  }
  for (const char* text : {"", "5", "s", "1x", "1h-", "1..5s", "9223372036854775808ns", "2562048h",
                           "9223372036s9223372036s", "99999999999999999999h"}) {
    EXPECT_FALSE(parse_go_duration(text)) << text;
  }
}

TEST(Time, TakesABareNumberAsSeconds) {
  EXPECT_EQ(*parse_seconds_or_duration("20"), 20s);
  EXPECT_EQ(*parse_seconds_or_duration("2m"), 2min);
  EXPECT_FALSE(parse_seconds_or_duration("soon"));
}

}  // namespace
}  // namespace tiphys

#include "cli/log_flags.h"

#include <gtest/gtest.h>

#include "base/log.h"

namespace tiphys::cli {
namespace {

struct Case {
  const char* rule;
  Arguments given, left;
  log::Level quietest;  ///< the least level that is written
  const char* error = "";
};

TEST(LogFlags, AreTakenWhereverTheyStand) {
  for (const Case& row : {
           Case{"none", {"list"}, {"list"}, log::Level::kWarn},
           Case{"short", {"-v", "list"}, {"list"}, log::Level::kDebug},
           Case{"behind", {"list", "--verbose", "-A"}, {"list", "-A"}, log::Level::kDebug},
           Case{"a level", {"--loglevel", "error", "list"}, {"list"}, log::Level::kError},
           Case{"in one word", {"list", "--loglevel=info"}, {"list"}, log::Level::kInfo},
           Case{"the original's others",
                {"--gloglevel", "6", "--log-format", "text", "list"},
                {"list"},
                log::Level::kWarn},
           Case{"not a command's words",
                {"x", "--", "-v", "--loglevel"},
                {"x", "--", "-v", "--loglevel"},
                log::Level::kWarn},
           Case{"no such level",
                {"--loglevel", "loud"},
                {},
                log::Level::kWarn,
                "--loglevel must be debug, info, warn or error, not \"loud\""},
           Case{"no such format",
                {"--log-format=xml"},
                {},
                log::Level::kWarn,
                "--log-format must be text or json, not \"xml\""},
           Case{"without a value", {"list", "--loglevel"}, {}, log::Level::kWarn, "--loglevel needs a value"},
       }) {
    log::set_level(log::Level::kWarn);
    Arguments arguments = row.given;
    const Status taken = take_log_flags(arguments);
    EXPECT_EQ(taken ? "" : taken.error().message, row.error) << row.rule;
    if (!taken) continue;
    EXPECT_EQ(arguments, row.left) << row.rule;
    EXPECT_TRUE(log::enabled(row.quietest)) << row.rule;
    if (row.quietest != log::Level::kDebug) {
      EXPECT_FALSE(log::enabled(static_cast<log::Level>(static_cast<int>(row.quietest) - 1))) << row.rule;
    }
  }
  log::set_level(log::Level::kWarn);
}

TEST(LogFlags, LinesOfJsonAreObjects) {
  const std::string line = json_log_line(log::Level::kWarn, "a \"b\"\nc");
  EXPECT_TRUE(line.starts_with("{\"time\":\"20")) << line;
  EXPECT_TRUE(line.ends_with("Z\",\"level\":\"WARN\",\"msg\":\"a \\\"b\\\"\\nc\"}")) << line;
}

}  // namespace
}  // namespace tiphys::cli

#include "expr/cron_schedule.h"

#include <gtest/gtest.h>

namespace tiphys::expr {
namespace {

// What the original gives is in tests/oracles/cron.jsonl.

TEST(CronSchedule, ASearchThatTheOriginalDoesNotEndHasAnEnd) {
  // The islands left out the 30th when they changed sides of the date line.
  const auto schedule = CronSchedule::parse("TZ=Pacific/Apia 0 0 30 * *");
  ASSERT_TRUE(schedule.has_value());
  EXPECT_FALSE(schedule->next(parse_rfc3339("2011-12-05T00:00:00Z").value(), {}).has_value());
}

TEST(CronSchedule, AZoneWithoutAScheduleIsAnError) {
  const auto schedule = CronSchedule::parse("TZ=Europe/Berlin");
  ASSERT_FALSE(schedule.has_value());
  EXPECT_EQ(schedule.error().message, "there is no schedule behind the time zone: TZ=Europe/Berlin");
}

TEST(CronSchedule, KnowsItsInterval) {
  EXPECT_EQ(CronSchedule::parse("@every 90.5s")->interval(), Duration(std::chrono::seconds(90)));
  EXPECT_FALSE(CronSchedule::parse("@hourly")->interval().has_value());
}

}  // namespace
}  // namespace tiphys::expr

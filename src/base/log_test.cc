#include "base/log.h"

#include <gtest/gtest.h>

namespace tiphys {
namespace {

TEST(Log, TextsOfOthersStayOnTheirLine) {
  ::testing::internal::CaptureStderr();
  log::warn("{}", "a\n2026-01-01 error forged\r\x1b[2Jb\tc\x7f \u00e9");
  const std::string written = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(written.ends_with(" warning a\\n2026-01-01 error forged\\x0d\\x1b[2Jb\\x09c\\x7f \u00e9\n")) << written;
}

TEST(Log, LinesAreCountedByLevel) {
  const auto warnings = log::lines(log::Level::kWarn), infos = log::lines(log::Level::kInfo);
  ::testing::internal::CaptureStderr();
  log::warn("one");
  log::write(log::Level::kInfo, "below the level");
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(log::lines(log::Level::kWarn), warnings + 1);
  EXPECT_EQ(log::lines(log::Level::kInfo), infos);
}

}  // namespace
}  // namespace tiphys

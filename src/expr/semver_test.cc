#include "expr/semver.h"

#include <gtest/gtest.h>

namespace tiphys::expr {
namespace {

struct Row {
  const char* constraint;
  const char* version;
  bool fits;
};

/// What the original says.
const Row kRows[] = {
    {"=1.2", "1.2.9", true},
    {"!=1.x", "1.9.0", false},
    {"!=1.2.x", "1.3.0", true},
    {"!=1.2.x-a", "1.2.5-b", true},
    {">1", "1.9.9", false},
    {">1", "2.0.0", true},
    {">1.2", "1.2.9", false},
    {">=1.2", "1.2.0", true},
    {"<1.2", "1.1.9", true},
    {"<=1.2", "1.2.9", true},
    {"<=1", "1.9.9", true},
    {"<=*", "1.0.0", false},
    {"~*", "7.0.0", true},
    {"~>1.2.3", "1.2.9", true},
    {"^0", "0.9.0", true},
    {"^0.0", "0.0.9", true},
    {"^0.0", "0.1.0", false},
    {"^0.0.3", "0.0.3", true},
    {"^1.2.3-beta", "1.2.3-alpha", false},
    {"1.2 - 1.4 || 2.x", "2.1.0", true},
    {"1.0 - 2.0-0, <1.5", "1.4.9-a", true},
    {"v1.X.*", "1.7.0", true},
};

TEST(Semver, ConstraintsFit) {
  for (const auto& [constraint, version, fits] : kRows) {
    const auto parsed = VersionConstraints::parse(constraint);
    ASSERT_TRUE(parsed) << constraint << ": " << parsed.error().message;
    EXPECT_EQ(parsed->hold_for(parse_version(version).value()), fits) << constraint << " for " << version;
  }
}

TEST(Semver, OrdersPrereleases) {
  const char* const kOrdered[] = {"1.0.0-1",    "1.0.0-2",      "1.0.0-10",  "1.0.0-alpha", "1.0.0-alpha.1",
                                  "1.0.0-beta", "1.0.0-beta.x", "1.0.0-rc1", "1.0.0"};
  for (std::size_t i = 0; i + 1 < std::size(kOrdered); ++i) {
    const Version lower = parse_version(kOrdered[i]).value();
    const Version higher = parse_version(kOrdered[i + 1]).value();
    EXPECT_EQ(compare(lower, higher), -1) << kOrdered[i];
    EXPECT_EQ(compare(higher, lower), 1) << kOrdered[i];
    EXPECT_EQ(compare(lower, lower), 0) << kOrdered[i];
  }
}

TEST(Semver, IsBounded) {
  EXPECT_EQ(parse_version("1+" + std::string(300, 'a')).error().message, "version string is too long (max 256 bytes)");
  EXPECT_EQ(with_metadata(parse_version("1").value(), std::string(300, 'a')).error().message,
            "version string is too long (max 256 bytes)");
  EXPECT_EQ(VersionConstraints::parse(std::string(600, ' ')).error().message,
            "constraint string is too long (max 512 bytes)");
  std::string groups = "1";
  for (int i = 0; i < 32; ++i) groups += "||1";
  EXPECT_EQ(VersionConstraints::parse(groups).error().message, "too many constraint groups (max 32)");
  EXPECT_FALSE(next_major(parse_version("18446744073709551615").value()));
}

}  // namespace
}  // namespace tiphys::expr

#include "schema/formats.h"

#include <gtest/gtest.h>

namespace tiphys::schema {
namespace {

TEST(Formats, AreThoseThatKubernetesKnows) {
  struct Case {
    const char *format, *fits, *does_not;
  };
  const Case cases[] = {
      {"byte", "YWJj", "***"},
      {"cidr", "10.0.0.0/8", "10.0.0.0/33"},
      {"cidr", "fd00::/64", "10.0.0.0"},
      {"date", "2020-02-29", "2021-02-29"},
      {"date-time", "2020-01-01T00:00:00Z", "2020-01-01"},
      {"duration", "1h5m", "soon"},
      {"duration", "3 days", "5 parsecs"},
      {"duration", "-1.5s", "1.5"},
      {"email", "ann@example.com", "nope"},
      {"hexcolor", "#00ff00", "green"},
      {"hostname", "a-b.example.com", "a b"},
      {"hostname", "localhost", "-a"},
      {"ipv4", "1.2.3.4", "1.2.3"},
      {"ipv6", "::1", "1.2.3.4"},
      {"mac", "00:00:5e:00:53:01", "00:00"},
      {"uri", "https://example.com/a", "::"},
      {"uri", "/path", "example"},
      {"uuid", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "zzz"},
      {"uuid4", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"},
  };
  for (const Case& one : cases) {
    EXPECT_TRUE(has_format(one.fits, one.format)) << one.format << " " << one.fits;
    EXPECT_FALSE(has_format(one.does_not, one.format)) << one.format << " " << one.does_not;
  }
  EXPECT_TRUE(has_format("anything", "of-ours"));
  EXPECT_TRUE(has_format("anything", "password"));
}

}  // namespace
}  // namespace tiphys::schema

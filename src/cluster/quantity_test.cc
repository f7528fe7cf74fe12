#include "cluster/quantity.h"

#include <gmock/gmock.h>

namespace tiphys::cluster {
namespace {

struct QuantityCase {
  std::string_view text;
  double value;
};

TEST(Quantity, of_every_suffix) {
  for (const auto& [text, value] : {
           QuantityCase{"0", 0},
           {"2", 2},
           {"1.5", 1.5},
           {".5", 0.5},
           {"500m", 0.5},
           {"100n", 1e-7},
           {"3u", 3e-6},
           {"1k", 1000},
           {"1M", 1e6},
           {"1G", 1e9},
           {"1T", 1e12},
           {"1P", 1e15},
           {"1E", 1e18},
           {"1e3", 1000},
           {"1E3", 1000},
           {"1Ki", 1024},
           {"128Mi", 134217728},
           {"1.5Gi", 1610612736},
           {"1Ti", 1099511627776},
           {"1Pi", 1125899906842624},
           {"1Ei", 1152921504606846976},
       }) {
    const auto parsed = parse_quantity(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_DOUBLE_EQ(*parsed, value) << text;
  }
}

TEST(Quantity, what_is_none) {
  for (const std::string_view text :
       {"", "m", "lots", "1 Gi", "1gi", "1K", "1MiB", "1e", "nan", "inf", "1e999", "1.2.3"}) {
    const auto parsed = parse_quantity(text);
    ASSERT_FALSE(parsed) << text << " is " << *parsed;
    EXPECT_EQ(parsed.error().code, Code::kInvalidArgument);
    EXPECT_THAT(parsed.error().message, testing::HasSubstr("is not a quantity; write it like 500m, 2 or 128Mi"));
  }
}

}  // namespace
}  // namespace tiphys::cluster

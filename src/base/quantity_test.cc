#include "base/quantity.h"

#include <gmock/gmock.h>

namespace tiphys {
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

TEST(Quantity, is_written_as_the_original_does) {
  for (const auto& [given, expected] : std::initializer_list<std::pair<const char*, const char*>>{
           {"0", "0"},        {"0.5", "500m"},
           {"1000m", "1"},    {"1500m", "1500m"},
           {"1000", "1k"},    {"1500", "1500"},
           {"100", "100"},    {"1.5Gi", "1536Mi"},
           {"1024Mi", "1Gi"}, {"1000Ki", "1000Ki"},
           {"0.5Ki", "512"},  {"0.1Gi", "107374182400m"},
           {"1e3", "1e3"},    {"1500e0", "1500"},
           {"0.1n", "1n"},    {"1.0000000001", "1000000001n"},
           {"-1", "-1"},      {"100E", "9223372036854775807"},
           {"5Ei", "5Ei"},    {"1E", "1E"},
           {"1.5", "1500m"},  {"123456789012345678", "123456789012345678"}}) {
    const auto parsed = Quantity::parse(given);
    ASSERT_TRUE(parsed) << given;
    EXPECT_EQ(parsed->text(), expected) << given;
  }
  for (const char* bad : {"", "m", "lots", "1 Gi", "1gi", "1K", "1e", ".", "1.2.3", "--1"}) {
    EXPECT_FALSE(Quantity::parse(bad)) << bad;
  }
}

TEST(Quantity, is_counted_with) {
  Quantity sum;
  sum += *Quantity::parse("1Gi");
  sum += *Quantity::parse("512Mi");
  EXPECT_EQ(sum.text(), "1536Mi");
  sum -= *Quantity::parse("1.5Gi");
  EXPECT_EQ(sum.text(), "0");
  EXPECT_LT(*Quantity::parse("999m"), Quantity(1));
  EXPECT_EQ(*Quantity::parse("1000m"), Quantity(1));
  EXPECT_EQ(Quantity::parse("1.1")->value(), 2);
  EXPECT_EQ(Quantity::parse("1500u")->milli_value(), 2);
  EXPECT_EQ(Quantity::parse("-1.1")->value(), -2);
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
}  // namespace tiphys

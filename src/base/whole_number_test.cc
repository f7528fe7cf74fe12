#include "base/whole_number.h"

#include <gtest/gtest.h>

namespace tiphys {
namespace {

TEST(WholeNumber, IsDigitsAfterASign) {
  struct Row {
    const char* text;
    std::optional<std::int64_t> number;
  };
  for (const auto& [text, number] : {
           Row{"0", 0},
           Row{"-12", -12},
           Row{"+12", 12},
           Row{"007", 7},
           Row{"9223372036854775807", INT64_MAX},
           Row{"9223372036854775808", std::nullopt},
           Row{"", std::nullopt},
           Row{"+", std::nullopt},
           Row{"+-1", std::nullopt},
           Row{"++1", std::nullopt},
           Row{" 1", std::nullopt},
           Row{"1s", std::nullopt},
           Row{"0x1", std::nullopt},
           Row{"1_0", std::nullopt},
       }) {
    EXPECT_EQ(whole_number(text), number) << text;
  }
}

}  // namespace
}  // namespace tiphys

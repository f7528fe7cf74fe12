#include "expr/decimal.h"

#include <gtest/gtest.h>

#include <limits>

namespace tiphys::expr {
namespace {

using Operation = Result<Decimal> (*)(const Decimal&, const Decimal&);
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Row {
  double left;
  Operation operation;
  double right;
  double result;
};

/// What the original gives.
const Row kRows[] = {
    {0.1, Decimal::add, 0.2, 0.3},
    {9007199254740992.0, Decimal::add, 1, 9007199254740992.0},
    {1e308, Decimal::add, 1e-308, 1e308},
    {0.3, Decimal::subtract, 0.1, 0.2},
    {1, Decimal::subtract, 1, 0},
    {0.1, Decimal::multiply, 3, 0.3},
    {1e308, Decimal::multiply, -1e308, -kInfinity},
    {1e-200, Decimal::multiply, 1e-200, 0},
    {2, Decimal::divide, 3, 0.6666666666666667},
    {-2, Decimal::divide, 3, -0.6666666666666667},
    {1e-20, Decimal::divide, 3, 0},
    {1e300, Decimal::divide, 1e-300, kInfinity},
};

TEST(Decimal, Calculates) {
  for (const auto& [left, operation, right, result] : kRows) {
    const auto value = operation(Decimal::from(left).value(), Decimal::from(right).value());
    ASSERT_TRUE(value) << left << " and " << right;
    EXPECT_EQ(value->to_double(), result) << left << " and " << right;
  }
}

TEST(Decimal, IsBounded) {
  EXPECT_EQ(Decimal::from(kInfinity).error().message, "Cannot create a Decimal from +Inf");
  const Decimal one = Decimal::from(1).value();
  EXPECT_EQ(Decimal::divide(one, Decimal::from(0).value()).error().message, "decimal division by 0");
  Decimal power = Decimal::from(1e300).value();
  for (int i = 0; i < 10; ++i) power = Decimal::multiply(power, power).value();
  EXPECT_EQ(Decimal::add(power, one).error().code, Code::kResourceExhausted);
  Decimal long_one = Decimal::from(1.0 / 3).value();
  Result<Decimal> product = Decimal::multiply(long_one, long_one);
  while (product) {
    long_one = std::move(*product);
    product = Decimal::multiply(long_one, long_one);
  }
  EXPECT_EQ(product.error().code, Code::kResourceExhausted);
}

}  // namespace
}  // namespace tiphys::expr

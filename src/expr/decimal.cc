#include "expr/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "expr/go_text.h"

namespace tiphys::expr {
namespace {

constexpr std::int64_t kMostPlaces = 20'000;  ///< by which numbers are moved before they are combined
constexpr int kMostBits = 100'000;

using Context = Owned<BN_CTX, BN_CTX_free>;

std::unexpected<Error> too_long() {
  return fail(Code::kResourceExhausted, "the numbers have too many digits");
}

}  // namespace

Result<Decimal> Decimal::from(double number) {
  if (!std::isfinite(number)) {
    return fail(Code::kInvalidArgument, "Cannot create a Decimal from " + go_float_text(number));
  }
  // "-1.25e+02" is -125 and an exponent of 0.
  std::array<char, 64> buffer;
  const char* end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific).ptr;
  std::string text(static_cast<const char*>(buffer.data()), end);
  const auto e = text.find('e');
  std::int64_t exponent = std::stoll(text.substr(e + 1));
  text.resize(e);
  if (const auto point = text.find('.'); point != std::string::npos) {
    exponent -= static_cast<std::int64_t>(text.size() - point - 1);
    text.erase(point, 1);
  }
  BIGNUM* digits = nullptr;
  if (BN_dec2bn(&digits, text.c_str()) == 0) return too_long();
  return Decimal(Integer(digits), exponent);
}

double Decimal::to_double() const {
  char* digits = BN_bn2dec(digits_.get());
  if (!digits) return std::numeric_limits<double>::quiet_NaN();
  const std::string text = std::string(digits) + "e" + std::to_string(exponent_);
  OPENSSL_free(digits);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc::result_out_of_range) return number;
  const double sign = BN_is_negative(digits_.get()) ? -1 : 1;
  const bool large = static_cast<std::int64_t>(text.size()) + exponent_ > 0;
  return large ? sign * std::numeric_limits<double>::infinity() : sign * 0.0;
}

Result<Decimal::Integer> Decimal::scaled(const Integer& digits, std::int64_t places) {
  if (places > kMostPlaces) return too_long();
  const Context context(BN_CTX_new());
  Integer power(BN_new());
  const Integer ten(BN_new());
  const Integer exponent(BN_new());
  if (!context || !power || !ten || !exponent || BN_set_word(ten.get(), 10) != 1 ||
      BN_set_word(exponent.get(), static_cast<BN_ULONG>(places)) != 1 ||
      BN_exp(power.get(), ten.get(), exponent.get(), context.get()) != 1 ||
      BN_mul(power.get(), power.get(), digits.get(), context.get()) != 1) {
    return too_long();
  }
  return power;
}

template <int (*operation)(BIGNUM*, const BIGNUM*, const BIGNUM*)>
Result<Decimal> Decimal::combine(const Decimal& left, const Decimal& right) {
  const std::int64_t exponent = std::min(left.exponent_, right.exponent_);
  TIPHYS_TRY(const Integer a, scaled(left.digits_, left.exponent_ - exponent));
  TIPHYS_TRY(const Integer b, scaled(right.digits_, right.exponent_ - exponent));
  Integer result(BN_new());
  if (!result || operation(result.get(), a.get(), b.get()) != 1 || BN_num_bits(result.get()) > kMostBits) {
    return too_long();
  }
  return Decimal(std::move(result), exponent);
}

Result<Decimal> Decimal::add(const Decimal& left, const Decimal& right) {
  return combine<BN_add>(left, right);
}
Result<Decimal> Decimal::subtract(const Decimal& left, const Decimal& right) {
  return combine<BN_sub>(left, right);
}

Result<Decimal> Decimal::multiply(const Decimal& left, const Decimal& right) {
  const Context context(BN_CTX_new());
  Integer product(BN_new());
  if (!context || !product || BN_mul(product.get(), left.digits_.get(), right.digits_.get(), context.get()) != 1 ||
      BN_num_bits(product.get()) > kMostBits) {
    return too_long();
  }
  return Decimal(std::move(product), left.exponent_ + right.exponent_);
}

Result<Decimal> Decimal::divide(const Decimal& left, const Decimal& right) {
  constexpr std::int64_t kPlaces = 16;
  if (BN_is_zero(right.digits_.get())) return fail(Code::kInvalidArgument, "decimal division by 0");
  const std::int64_t move = left.exponent_ - right.exponent_ + kPlaces;
  TIPHYS_TRY(const Integer dividend, scaled(left.digits_, std::max<std::int64_t>(move, 0)));
  TIPHYS_TRY(const Integer divisor, scaled(right.digits_, std::max<std::int64_t>(-move, 0)));
  const Context context(BN_CTX_new());
  Integer quotient(BN_new());
  const Integer rest(BN_new());
  if (!context || !quotient || !rest ||
      BN_div(quotient.get(), rest.get(), dividend.get(), divisor.get(), context.get()) != 1 ||
      BN_lshift1(rest.get(), rest.get()) != 1) {
    return too_long();
  }
  if (BN_ucmp(rest.get(), divisor.get()) >= 0) {
    const bool negative = BN_is_negative(left.digits_.get()) != BN_is_negative(right.digits_.get());
    if ((negative ? BN_sub_word(quotient.get(), 1) : BN_add_word(quotient.get(), 1)) != 1) return too_long();
  }
  return Decimal(std::move(quotient), -kPlaces);
}

}  // namespace tiphys::expr

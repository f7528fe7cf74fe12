// Decimal numbers of any length, as shopspring/decimal calculates with them: 0.1 + 0.2 is 0.3.
#pragma once

#include <openssl/bn.h>

#include <cstdint>

#include "base/error.h"
#include "base/openssl.h"

namespace tiphys::expr {

class Decimal {
 public:
  /// The shortest decimal that the float stands for. NaN and infinities are errors.
  static Result<Decimal> from(double number);
  /// The nearest float; infinite when there is none.
  double to_double() const;

  // Numbers that need too much memory are errors.

  static Result<Decimal> add(const Decimal& left, const Decimal& right);
  static Result<Decimal> subtract(const Decimal& left, const Decimal& right);
  static Result<Decimal> multiply(const Decimal& left, const Decimal& right);
  /// Rounded to 16 places, halves away from zero.
  static Result<Decimal> divide(const Decimal& left, const Decimal& right);

 private:
  using Integer = Owned<BIGNUM, BN_free>;

  Decimal(Integer digits, std::int64_t exponent) : digits_(std::move(digits)), exponent_(exponent) {}

  static Result<Integer> scaled(const Integer& digits, std::int64_t places);
  template <int (*operation)(BIGNUM*, const BIGNUM*, const BIGNUM*)>
  static Result<Decimal> combine(const Decimal& left, const Decimal& right);

  Integer digits_;
  std::int64_t exponent_;  ///< of ten
};

}  // namespace tiphys::expr

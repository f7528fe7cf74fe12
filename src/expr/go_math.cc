#include "expr/go_math.h"

#include <cmath>
#include <cstdint>

namespace tiphys::expr {

double go_pow(double base, double exponent) {
  const double size = std::abs(exponent);
  const bool simple = std::isfinite(base) && base != 0 && size < 9223372036854775808.0 && size != 0.5;
  if (!simple || (base < 0 && std::trunc(exponent) != exponent)) return std::pow(base, exponent);

  // Go squares and multiplies with the power of two kept aside; only a fraction goes through exp and log.
  double whole = std::trunc(size);
  double fraction = size - whole;
  double result = 1;
  if (fraction != 0) {
    if (fraction > 0.5) {
      --fraction;
      ++whole;
    }
    result = std::exp(fraction * std::log(base));
  }
  int factor_power = 0;
  double factor = std::frexp(base, &factor_power);
  std::int64_t power = 0, of_factor = factor_power;
  for (auto left = static_cast<std::int64_t>(whole); left != 0; left >>= 1) {
    constexpr std::int64_t kBeyond = 1 << 12;  // of any exponent that a double has
    if (of_factor < -kBeyond || of_factor > kBeyond) {
      power += of_factor;
      break;
    }
    if (left & 1) {
      result *= factor;
      power += of_factor;
    }
    factor *= factor;
    of_factor *= 2;
    if (factor < 0.5) {
      factor += factor;
      --of_factor;
    }
  }
  if (exponent < 0) {
    result = 1 / result;
    power = -power;
  }
  return std::ldexp(result, static_cast<int>(power));
}

}  // namespace tiphys::expr

// Functions of Go's package math whose last bits differ from those of C's.
#pragma once

namespace tiphys::expr {

/// math.Pow.
double go_pow(double base, double exponent);

}  // namespace tiphys::expr

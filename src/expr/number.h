// Numbers as the operators of expr-lang take them.
#pragma once

#include <cstdint>

#include "expr/ast.h"
#include "expr/go_math.h"

namespace tiphys::expr {

template <typename T, typename Number, typename Otherwise>
T compare_numbers(Op op, Number a, Number b, const Otherwise& otherwise) {
  switch (op) {
    case Op::kEqual:
      return T(a == b);
    case Op::kNotEqual:
      return T(a != b);
    case Op::kLess:
      return T(a < b);
    case Op::kGreater:
      return T(a > b);
    case Op::kLessOrEqual:
      return T(a <= b);
    case Op::kGreaterOrEqual:
      return T(a >= b);
    default:
      return otherwise();
  }
}

/// Arithmetic, equality and order of integers, which wrap as Go's; T is made of an int, a float or a bool.
/// `otherwise` gives what other operators and % by zero do.
template <typename T, typename Otherwise>
T apply_to_integers(Op op, std::int64_t a, std::int64_t b, const Otherwise& otherwise) {
  const auto bits = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
  const auto wrapped = [](std::uint64_t value) { return T(static_cast<std::int64_t>(value)); };
  switch (op) {
    case Op::kAdd:
      return wrapped(bits(a) + bits(b));
    case Op::kSubtract:
      return wrapped(bits(a) - bits(b));
    case Op::kMultiply:
      return wrapped(bits(a) * bits(b));
    case Op::kModulo:
      if (b == 0) return otherwise();
      return T(b == -1 ? std::int64_t{0} : a % b);
    default:
      return compare_numbers<T>(op, a, b, otherwise);
  }
}

/// The same for numbers of which one at least is a float, and for the quotients and powers of all.
template <typename T, typename Otherwise>
T apply_to_floats(Op op, double a, double b, const Otherwise& otherwise) {
  switch (op) {
    case Op::kAdd:
      return T(a + b);
    case Op::kSubtract:
      return T(a - b);
    case Op::kMultiply:
      return T(a * b);
    case Op::kDivide:
      return T(a / b);
    case Op::kPower:
      return T(go_pow(a, b));
    default:
      return compare_numbers<T>(op, a, b, otherwise);
  }
}

inline bool is_of_floats(Op op) {
  return op == Op::kDivide || op == Op::kPower;
}

}  // namespace tiphys::expr

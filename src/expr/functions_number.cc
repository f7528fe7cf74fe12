// expr-lang's functions of numbers.
#include <algorithm>
#include <cmath>

#include "expr/arguments.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/operators.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

std::unexpected<Error> not_for(std::string_view name, const doc::Value& value) {
  return bad_argument("invalid argument for " + std::string(name) + " (type " + std::string(go_type(value)) + ")");
}

Value abs(Arguments arguments) {
  const doc::Value& value = *arguments[0];
  if (!is_number(value)) return not_for("abs", value);
  if (value.is_double()) return doc::Value(std::abs(value.get_double()));
  if (value.is_int64() && value.get_int64() < 0) return negate(value);
  return value;
}

Value ceil(Arguments arguments) {
  if (!is_number(*arguments[0])) return not_for("ceil", *arguments[0]);
  return doc::Value(std::ceil(to_double(*arguments[0])));
}
Value floor(Arguments arguments) {
  if (!is_number(*arguments[0])) return not_for("floor", *arguments[0]);
  return doc::Value(std::floor(to_double(*arguments[0])));
}
Value round(Arguments arguments) {
  if (!is_number(*arguments[0])) return not_for("round", *arguments[0]);
  return doc::Value(std::round(to_double(*arguments[0])));
}

/// What Go counts as an integer though it has a type of its own; nullptr for all else.
const doc::Value* named_integer(const doc::Value& value) {
  for (const GoKind kind : {GoKind::kDuration, GoKind::kMonth, GoKind::kWeekday}) {
    if (const doc::Value* number = go_content(value, kind)) return number;
  }
  return nullptr;
}

Value to_int(Arguments arguments) {
  const doc::Value& value = *arguments[0];
  if (value.is_double()) return doc::Value(truncate_to_int(value.get_double()));
  if (is_number(value)) return value;
  if (!value.is_string()) {
    if (const doc::Value* number = named_integer(value)) return *number;
    return bad_argument("invalid operation: int(" + std::string(go_type(value)) + ")");
  }
  const auto number = parse_go_int(value.get_string());
  if (!number) return bad_argument("invalid operation: int(" + std::string(value.get_string()) + ")");
  return doc::Value(*number);
}

Value to_float(Arguments arguments) {
  const doc::Value& value = *arguments[0];
  if (is_number(value)) return doc::Value(to_double(value));
  if (!value.is_string()) return bad_argument("invalid operation: float(" + std::string(go_type(value)) + ")");
  const auto number = parse_go_float(value.get_string());
  if (!number) return bad_argument("invalid operation: float(" + std::string(value.get_string()) + ")");
  return doc::Value(*number);
}

bool to_int_in_place(Held& argument) {
  if (argument.is_float()) argument = Held(truncate_to_int(argument.to_float()));
  if (argument.is_string()) {
    if (const auto number = parse_go_int(argument.get_string())) argument = Held(*number);
  }
  return argument.is_int();
}

bool to_float_in_place(Held& argument) {
  if (argument.is_int()) argument = Held(argument.to_float());
  if (argument.is_string()) {
    if (const auto number = parse_go_float(argument.get_string())) argument = Held(*number);
  }
  return argument.is_float();
}

/// Appends the numbers of arrays within arrays. max and min take integers with a type of their own only outside these.
Status append_numbers(std::string_view name, const doc::Value& value, bool typed,
                      std::vector<const doc::Value*>& numbers) {
  if (is_number(value) || (typed && named_integer(value))) {
    numbers.push_back(&value);
    return {};
  }
  const auto* array = value.if_array();
  if (!array) return not_for(name, value);
  const bool typed_within = name == "mean" || name == "median";
  for (const doc::Value& element : *array) TIPHYS_CHECK_OK(append_numbers(name, element, typed_within, numbers));
  return {};
}

Result<std::vector<const doc::Value*>> all_numbers(std::string_view name, Arguments arguments) {
  std::vector<const doc::Value*> numbers;
  for (const doc::Value* argument : arguments) TIPHYS_CHECK_OK(append_numbers(name, *argument, true, numbers));
  return numbers;
}

double double_of(const doc::Value& number) {
  const doc::Value* named = named_integer(number);
  return to_double(named ? *named : number);
}

Value extreme(std::string_view name, Arguments arguments, Op better) {
  // A lone argument that is no number and no array stays what it is.
  if (arguments.size() == 1 && !is_number(*arguments[0]) && !arguments[0]->is_array()) return *arguments[0];
  TIPHYS_TRY(const auto numbers, all_numbers(name, arguments));
  const doc::Value* best = nullptr;
  for (const doc::Value* number : numbers) {
    if (!best) {
      best = number;
      continue;
    }
    TIPHYS_TRY(const doc::Value wins, apply_binary(better, *number, *best));
    if (wins.get_bool()) best = number;
  }
  return best ? *best : doc::Value();
}

Value max(Arguments arguments) {
  return extreme("max", arguments, Op::kGreater);
}
Value min(Arguments arguments) {
  return extreme("min", arguments, Op::kLess);
}

Value mean(Arguments arguments) {
  TIPHYS_TRY(const auto numbers, all_numbers("mean", arguments));
  double total = 0;
  for (const doc::Value* number : numbers) total += double_of(*number);
  return doc::Value(numbers.empty() ? 0.0 : total / static_cast<double>(numbers.size()));
}

Value median(Arguments arguments) {
  TIPHYS_TRY(const auto numbers, all_numbers("median", arguments));
  std::vector<double> sorted;
  for (const doc::Value* number : numbers) sorted.push_back(double_of(*number));
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  if (sorted.empty()) return doc::Value(0.0);
  if (sorted.size() % 2 == 1) return doc::Value(sorted[middle]);
  return doc::Value((sorted[middle - 1] + sorted[middle]) / 2);
}

enum class Bits { kAnd, kOr, kXor, kAndNot, kLeft, kRight, kUnsignedRight };

template <Bits operation>
Value bits(Arguments arguments) {
  TIPHYS_TRY(const auto x, int_argument(arguments, 0));
  TIPHYS_TRY(const auto y, int_argument(arguments, 1));
  if (operation >= Bits::kLeft && y < 0) {
    return bad_argument("invalid operation: negative shift count " + std::to_string(y) + " (type int)");
  }
  const auto a = static_cast<std::uint64_t>(x);
  const auto b = static_cast<std::uint64_t>(y);
  switch (operation) {
    case Bits::kAnd:
      return doc::Value(x & y);
    case Bits::kOr:
      return doc::Value(x | y);
    case Bits::kXor:
      return doc::Value(x ^ y);
    case Bits::kAndNot:
      return doc::Value(x & ~y);
    case Bits::kLeft:
      return doc::Value(static_cast<std::int64_t>(b > 63 ? 0 : a << b));
    case Bits::kRight:
      return doc::Value(x >> std::min<std::int64_t>(y, 63));
    case Bits::kUnsignedRight:
      return doc::Value(static_cast<std::int64_t>(b > 63 ? 0 : a >> b));
  }
  return doc::Value();
}

Value bit_not(Arguments arguments) {
  TIPHYS_TRY(const auto x, int_argument(arguments, 0));
  return doc::Value(~x);
}

constexpr Function kFunctions[] = {
    {"abs", 1, 1, abs},
    {"ceil", 1, 1, ceil, StaticKind::kFloat},
    {"floor", 1, 1, floor, StaticKind::kFloat},
    {"round", 1, 1, round, StaticKind::kFloat},
    {"int", 1, 1, to_int, StaticKind::kInt, 0, nullptr, to_int_in_place},
    {"float", 1, 1, to_float, StaticKind::kFloat, 0, nullptr, to_float_in_place},
    {"asInt", 1, 1, to_int, StaticKind::kUnknown, 0, nullptr, to_int_in_place},
    {"asFloat", 1, 1, to_float, StaticKind::kUnknown, 0, nullptr, to_float_in_place},
    {"max", 1, Function::kAny, max},
    {"min", 1, Function::kAny, min},
    {"mean", 1, Function::kAny, mean},
    {"median", 1, Function::kAny, median},
    {"bitand", 2, 2, bits<Bits::kAnd>, StaticKind::kInt},
    {"bitor", 2, 2, bits<Bits::kOr>, StaticKind::kInt},
    {"bitxor", 2, 2, bits<Bits::kXor>, StaticKind::kInt},
    {"bitnand", 2, 2, bits<Bits::kAndNot>, StaticKind::kInt},
    {"bitshl", 2, 2, bits<Bits::kLeft>, StaticKind::kInt},
    {"bitshr", 2, 2, bits<Bits::kRight>, StaticKind::kInt},
    {"bitushr", 2, 2, bits<Bits::kUnsignedRight>, StaticKind::kInt},
    {"bitnot", 1, 1, bit_not, StaticKind::kInt},
};

}  // namespace

std::span<const Function> number_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr

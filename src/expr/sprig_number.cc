// sprig's functions of numbers.
#include <re2/re2.h>

#include <cmath>
#include <limits>

#include "expr/arguments.h"
#include "expr/decimal.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/operators.h"
#include "expr/sprig_cast.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

/// Arithmetic that wraps as Go's.
std::int64_t add_ints(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t multiply_ints(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
std::int64_t larger(std::int64_t a, std::int64_t b) {
  return a > b ? a : b;
}
std::int64_t smaller(std::int64_t a, std::int64_t b) {
  return a < b ? a : b;
}

template <std::int64_t (*combine)(std::int64_t, std::int64_t)>
Value fold_ints(Arguments arguments) {
  if (arguments.empty()) return doc::Value(std::int64_t{0});
  std::int64_t result = sprig_int(*arguments[0]);
  for (const doc::Value* argument : arguments.subspan(1)) result = combine(result, sprig_int(*argument));
  return doc::Value(result);
}

/// math.Max and math.Min: an infinity of that side wins, then NaN, and 0 is greater than -0.
template <int side>
double extreme(double a, double b) {
  constexpr double kWinner = side * std::numeric_limits<double>::infinity();
  if (a == kWinner || b == kWinner) return kWinner;
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == 0 && b == 0) return std::signbit(a) == (side > 0) ? b : a;
  return (a > b) == (side > 0) ? a : b;
}

template <int side>
Value extreme_float(Arguments arguments) {
  double result = sprig_float(*arguments[0]);
  for (const doc::Value* argument : arguments.subspan(1)) result = extreme<side>(result, sprig_float(*argument));
  return doc::Value(result);
}

template <Result<Decimal> (*combine)(const Decimal&, const Decimal&)>
Value fold_decimals(double first, Arguments rest) {
  TIPHYS_TRY(Decimal result, Decimal::from(first));
  for (const doc::Value* argument : rest) {
    TIPHYS_TRY(const Decimal next, Decimal::from(sprig_float(*argument)));
    TIPHYS_TRY(result, combine(result, next));
  }
  return doc::Value(result.to_double());
}

template <Result<Decimal> (*combine)(const Decimal&, const Decimal&)>
Value fold_floats(Arguments arguments) {
  return fold_decimals<combine>(sprig_float(*arguments[0]), arguments.subspan(1));
}

Value add_floats(Arguments arguments) {
  return fold_decimals<Decimal::add>(0, arguments);
}
Value add_one_float(Arguments arguments) {
  return fold_decimals<Decimal::add>(1, arguments);
}

Value add_one(Arguments arguments) {
  return doc::Value(add_ints(sprig_int(*arguments[0]), 1));
}
Value subtract(Arguments arguments) {
  return doc::Value(add_ints(sprig_int(*arguments[0]), add_ints(~sprig_int(*arguments[1]), 1)));
}

template <bool remainder>
Value divide(Arguments arguments) {
  const std::int64_t dividend = sprig_int(*arguments[0]);
  const std::int64_t divisor = sprig_int(*arguments[1]);
  if (divisor == 0) return bad_argument("integer divide by zero");
  if (divisor == -1) return doc::Value(remainder ? 0 : add_ints(~dividend, 1));
  return doc::Value(remainder ? dividend % divisor : dividend / divisor);
}

Value to_int(Arguments arguments) {
  return doc::Value(sprig_int(*arguments[0]));
}
Value to_float(Arguments arguments) {
  return doc::Value(sprig_float(*arguments[0]));
}

Value atoi(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  if (const auto number = parse_go_int(text)) return doc::Value(*number);
  // What does not fit gives the nearest one that does.
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return doc::Value(0);
  using Limits = std::numeric_limits<std::int64_t>;
  return doc::Value(negative ? Limits::min() : Limits::max());
}

Value to_decimal(Arguments arguments) {
  return doc::Value(parse_go_int(go_text(*arguments[0]), 8).value_or(0));
}

Value ceil(Arguments arguments) {
  return doc::Value(std::ceil(sprig_float(*arguments[0])));
}
Value floor(Arguments arguments) {
  return doc::Value(std::floor(sprig_float(*arguments[0])));
}

Value round(Arguments arguments) {
  const double value = sprig_float(*arguments[0]);
  TIPHYS_TRY(const auto places, int_or_zero(arguments, 1));
  double limit = 0.5;
  for (std::size_t i = arguments.size(); i-- > 2;) {
    if (!arguments[i]->is_double() && !arguments[i]->is_null()) {
      return bad_argument("cannot use " + std::string(go_type(*arguments[i])) + " as argument (type float64)");
    }
    limit = sprig_float(*arguments[i]);  // the first one counts
  }
  const double power = std::pow(10, static_cast<double>(places));
  double whole = 0;
  const double digit = power * value;
  const double fraction = std::modf(digit, &whole);
  return doc::Value((fraction >= limit ? std::ceil(digit) : std::floor(digit)) / power);
}

Result<std::vector<std::int64_t>> count_up(std::int64_t start, std::int64_t stop, std::int64_t step) {
  std::vector<std::int64_t> numbers;
  const bool down = stop < start;
  if (down ? step >= 0 : step <= 0) return numbers;
  for (std::int64_t i = start; down ? i > stop : i < stop; i += step) {
    if (numbers.size() == kMostElements) return fail(Code::kResourceExhausted, "memory budget exceeded");
    numbers.push_back(i);
    if (down ? i < stop - step : i > stop - step) break;
  }
  return numbers;
}

Value numbers_array(Result<std::vector<std::int64_t>> numbers) {
  if (!numbers) return std::unexpected(numbers.error());
  doc::Array array;
  for (const std::int64_t number : *numbers) array.push_back(number);
  return doc::Value(std::move(array));
}

Value until(Arguments arguments) {
  TIPHYS_TRY(const auto count, int_or_zero(arguments, 0));
  return numbers_array(count_up(0, count, count < 0 ? -1 : 1));
}

Value until_step(Arguments arguments) {
  TIPHYS_TRY(const auto start, int_or_zero(arguments, 0));
  TIPHYS_TRY(const auto stop, int_or_zero(arguments, 1));
  TIPHYS_TRY(const auto step, int_or_zero(arguments, 2));
  return numbers_array(count_up(start, stop, step));
}

/// As the command seq: an end; a start and an end; a start, a step and an end.
Value seq(Arguments arguments) {
  std::vector<std::int64_t> given;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    TIPHYS_TRY(const auto number, int_or_zero(arguments, i));
    given.push_back(number);
  }
  if (given.empty() || given.size() > 3) return doc::Value("");
  const std::int64_t start = given.size() == 1 ? 1 : given.front();
  const std::int64_t end = given.back();
  const std::int64_t direction = end < start ? -1 : 1;
  const std::int64_t step = given.size() == 3 ? given[1] : direction;
  if (given.size() == 3 && direction < 0 && step > 0) return doc::Value("");
  TIPHYS_TRY(const auto numbers, count_up(start, add_ints(end, direction), step));
  std::string text;
  for (const std::int64_t number : numbers) {
    if (!text.empty()) text += ' ';
    text += std::to_string(number);
  }
  return doc::Value(text);
}

constexpr Function kFunctions[] = {
    {"add", 0, Function::kAny, fold_ints<add_ints>},
    {"add1", 1, 1, add_one},
    {"sub", 2, 2, subtract},
    {"div", 2, 2, divide<false>},
    {"mod", 2, 2, divide<true>},
    {"mul", 1, Function::kAny, fold_ints<multiply_ints>},
    {"max", 1, Function::kAny, fold_ints<larger>},
    {"biggest", 1, Function::kAny, fold_ints<larger>},
    {"min", 1, Function::kAny, fold_ints<smaller>},
    {"add1f", 1, 1, add_one_float},
    {"addf", 0, Function::kAny, add_floats},
    {"subf", 1, Function::kAny, fold_floats<Decimal::subtract>},
    {"mulf", 1, Function::kAny, fold_floats<Decimal::multiply>},
    {"divf", 1, Function::kAny, fold_floats<Decimal::divide>},
    {"maxf", 1, Function::kAny, extreme_float<1>},
    {"minf", 1, Function::kAny, extreme_float<-1>},
    {"ceil", 1, 1, ceil},
    {"floor", 1, 1, floor},
    {"round", 2, Function::kAny, round},
    {"int", 1, 1, to_int},
    {"int64", 1, 1, to_int},
    {"float64", 1, 1, to_float},
    {"atoi", 1, 1, atoi},
    {"toDecimal", 1, 1, to_decimal},
    {"until", 1, 1, until},
    {"untilStep", 3, 3, until_step},
    {"seq", 0, Function::kAny, seq},
};

}  // namespace

namespace {

/// Durations, months and weekdays are integers in Go.
std::optional<std::int64_t> go_number(const doc::Value& value) {
  for (const GoKind kind : {GoKind::kDuration, GoKind::kMonth, GoKind::kWeekday}) {
    if (const doc::Value* number = go_content(value, kind)) return number->get_int64();
  }
  return std::nullopt;
}

}  // namespace

std::int64_t sprig_int(const doc::Value& value) {
  if (value.is_double()) return truncate_to_int(value.get_double());
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return static_cast<std::int64_t>(value.get_uint64());
  if (value.is_bool()) return value.get_bool() ? 1 : 0;
  if (!value.is_string()) return go_number(value).value_or(0);
  // "5.9" is 5, ".9" is 0.
  static const RE2 decimal("([-+]?[0-9]*)\\.[0-9]*");
  const std::string_view text = value.get_string();
  std::string whole;
  if (!RE2::FullMatch(text, decimal, &whole)) return parse_go_int(text, 0).value_or(0);
  return parse_go_int(whole, 0).value_or(0);
}

double sprig_float(const doc::Value& value) {
  if (is_number(value)) return to_double(value);
  if (value.is_bool()) return value.get_bool() ? 1 : 0;
  if (!value.is_string()) return static_cast<double>(go_number(value).value_or(0));
  return parse_go_float(value.get_string()).value_or(0);
}

bool sprig_empty(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return true;
    case boost::json::kind::bool_:
      return !value.get_bool();
    case boost::json::kind::string:
      return value.get_string().empty();
    case boost::json::kind::array:
      return value.get_array().empty();
    case boost::json::kind::object:
      if (const auto bytes = go_bytes(value)) return bytes->empty();
      if (const auto* strings = go_string_map(value)) return strings->empty();
      if (const auto number = go_number(value)) return *number == 0;
      return value.get_object().empty();
    default:
      return to_double(value) == 0;
  }
}

std::span<const Function> sprig_number_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr

#include "expr/checker_types.h"

#include <algorithm>
#include <initializer_list>

namespace tiphys::expr {
namespace {

using enum StaticKind;
using Test = bool (*)(const Type&);

constexpr Type kIntType{kInt};

/// One of the two is unknown, and the other of a type that the operator takes.
bool maybe(const Type& left, const Type& right, std::initializer_list<Test> tests) {
  const auto any = [&](const Type& type) { return std::ranges::any_of(tests, [&](Test test) { return test(type); }); };
  return (left.unknown() && right.unknown()) || (left.unknown() && any(right)) || (right.unknown() && any(left));
}
template <StaticKind kind>
bool is(const Type& type) {
  return type.is(kind);
}
bool is_number(const Type& type) {
  return type.number();
}
bool is_integer(const Type& type) {
  return type.integer();
}

}  // namespace

std::string name_of(const Type& type) {
  constexpr std::string_view kNames[] = {"unknown",
                                         "unknown",
                                         "bool",
                                         "int",
                                         "float64",
                                         "string",
                                         "[]interface {}",
                                         "map[string]interface {}",
                                         "map[interface {}][]interface {}",
                                         "time.Time",
                                         "time.Duration",
                                         "[]uint8",
                                         "*time.Location",
                                         "time.Month",
                                         "time.Weekday",
                                         "*semver.Version",
                                         "func"};
  return std::string(kNames[static_cast<std::size_t>(type.kind)]);
}

bool assignable(const Type& type, const Type& to) {
  if (type.is(kNil)) return to.array() || to.map() || to.is(kFunction) || to.is(kLocation) || to.is(kVersion);
  return !type.unknown() && !to.unknown() && type.kind == to.kind;
}

bool comparable(const Type& left, const Type& right) {
  return left.unknown() || right.unknown() || left.is(kNil) || right.is(kNil) || (left.number() && right.number()) ||
         (left.array() && right.array()) || assignable(left, right);
}

std::optional<Type> binary_type(Op op, const Type& left, const Type& right) {
  const bool numbers = left.number() && right.number();
  const bool strings = left.is(kString) && right.is(kString);
  const bool times = left.is(kTime) && right.is(kTime);
  const bool durations = left.is(kDuration) && right.is(kDuration);
  const Type promoted{left.is(kFloat) || right.is(kFloat) ? kFloat : kInt};
  switch (op) {
    case Op::kEqual:
    case Op::kNotEqual:
      if (comparable(left, right)) return Type{kBool};
      break;
    case Op::kOr:
    case Op::kAnd:
      if ((left.is(kBool) && right.is(kBool)) || maybe(left, right, {is<kBool>})) return Type{kBool};
      break;
    case Op::kLess:
    case Op::kGreater:
    case Op::kLessOrEqual:
    case Op::kGreaterOrEqual:
      if (numbers || strings || times || durations) return Type{kBool};
      if (maybe(left, right, {is_number, is<kString>, is<kTime>, is<kDuration>})) return Type{kBool};
      break;
    case Op::kAdd:
      if (durations) return Type{kDuration};
      if (numbers) return promoted;
      if (strings) return Type{kString};
      if ((left.is(kTime) && right.is(kDuration)) || (left.is(kDuration) && right.is(kTime))) return Type{kTime};
      if (maybe(left, right, {is_number, is<kString>, is<kTime>, is<kDuration>})) return Type{};
      break;
    case Op::kSubtract:
      if (durations || times) return Type{kDuration};
      if (numbers) return promoted;
      if (left.is(kTime) && right.is(kDuration)) return Type{kTime};
      if (maybe(left, right, {is_number, is<kTime>, is<kDuration>})) return Type{};
      break;
    case Op::kMultiply:
      if (numbers) return promoted;
      if (durations || (left.number() && right.is(kDuration)) || (left.is(kDuration) && right.number())) {
        return Type{kDuration};
      }
      if (maybe(left, right, {is_number, is<kDuration>})) return Type{};
      break;
    case Op::kDivide:
    case Op::kPower:
      if (numbers || maybe(left, right, {is_number})) return Type{kFloat};
      break;
    case Op::kModulo:
      if ((left.integer() && right.integer()) || maybe(left, right, {is_integer})) return Type{kInt};
      break;
    case Op::kMatches:
      if ((left.is(kString) || left.is(kBytes)) && right.is(kString)) return Type{kBool};
      if (maybe(left, right, {is<kString>})) return Type{kBool};
      break;
    case Op::kContains:
    case Op::kStartsWith:
    case Op::kEndsWith:
      if (strings || maybe(left, right, {is<kString>})) return Type{kBool};
      break;
    case Op::kRange:
      if ((left.integer() && right.integer()) || maybe(left, right, {is_integer})) return Type{kArray, &kIntType};
      break;
    case Op::kCoalesce:
      if (left.is(kNil)) return right;
      if (right.is(kNil) || assignable(right, left)) return left;
      return Type{};
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace tiphys::expr

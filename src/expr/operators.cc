#include "expr/operators.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/number.h"

namespace tiphys::expr {
namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

std::unexpected<Error> mismatch(Op op, const doc::Value& left, const doc::Value& right) {
  return invalid("invalid operation: " + std::string(go_type(left)) + " " + std::string(op_text(op)) + " " +
                 std::string(go_type(right)));
}

bool is_integer(const doc::Value& value) {
  return value.is_int64() || value.is_uint64();
}

/// The bits of an integer, for arithmetic that wraps as Go's.
std::uint64_t bits(const doc::Value& integer) {
  return integer.is_int64() ? static_cast<std::uint64_t>(integer.get_int64()) : integer.get_uint64();
}
doc::Value integer(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

/// Sums, differences and products in which times or durations take part.
std::optional<doc::Value> calculate_go_values(Op op, const doc::Value& left, const doc::Value& right) {
  const auto time = go_time(left), other_time = go_time(right);
  const auto duration = go_duration(left), other_duration = go_duration(right);
  const auto count = [](Duration value) { return static_cast<std::uint64_t>(value.count()); };
  const auto of = [](std::uint64_t nanos) { return make_go_value(Duration{static_cast<std::int64_t>(nanos)}); };
  if (op == Op::kAdd) {
    if (time && other_duration) return make_go_value(add(*time, *other_duration));
    if (duration && other_time) return make_go_value(add(*other_time, *duration));
    if (duration && other_duration) return of(count(*duration) + count(*other_duration));
  } else if (op == Op::kSubtract) {
    if (time && other_time) return make_go_value(subtract(*time, *other_time));
    if (time && other_duration) return make_go_value(add(*time, -*other_duration));
    if (duration && other_duration) return of(count(*duration) - count(*other_duration));
  } else if (op == Op::kMultiply && (duration || other_duration)) {
    if (duration && other_duration) return of(count(*duration) * count(*other_duration));
    const doc::Value& number = duration ? right : left;
    const Duration factor = duration ? *duration : *other_duration;
    if (is_integer(number)) return of(count(factor) * bits(number));
    if (number.is_double()) return doc::Value(static_cast<double>(factor.count()) * number.get_double());
  }
  return std::nullopt;
}

Result<std::int64_t> to_int(const doc::Value& value) {
  if (value.is_double()) return truncate_to_int(value.get_double());
  if (is_integer(value)) return static_cast<std::int64_t>(bits(value));
  return invalid("invalid operation: int(" + std::string(go_type(value)) + ")");
}

template <typename T, typename Otherwise>
T apply_to_numbers(Op op, const doc::Value& left, const doc::Value& right, const Otherwise& otherwise) {
  if (!is_integer(left) || !is_integer(right) || is_of_floats(op)) {
    return apply_to_floats<T>(op, to_double(left), to_double(right), otherwise);
  }
  const auto wrapped = [](const doc::Value& value) { return static_cast<std::int64_t>(bits(value)); };
  return apply_to_integers<T>(op, wrapped(left), wrapped(right), otherwise);
}

Result<doc::Value> calculate(Op op, const doc::Value& left, const doc::Value& right) {
  return apply_to_numbers<Result<doc::Value>>(op, left, right, [&]() -> Result<doc::Value> {
    if (!is_integer(left) || !is_integer(right)) return mismatch(op, left, right);
    return invalid("integer divide by zero");
  });
}

template <typename T>
bool ordered(Op op, const T& left, const T& right) {
  switch (op) {
    case Op::kLess:
      return left < right;
    case Op::kGreater:
      return left > right;
    case Op::kLessOrEqual:
      return left <= right;
    default:
      return left >= right;
  }
}

/// Of times and durations; nullopt when they have no order.
std::optional<bool> ordered_go_values(Op op, const doc::Value& left, const doc::Value& right) {
  if (const auto time = go_time(left)) {
    const auto other = go_time(right);
    return other ? std::optional(ordered(op, compare(*time, *other), 0)) : std::nullopt;
  }
  const auto duration = go_duration(left), other = go_duration(right);
  return duration && other ? std::optional(ordered(op, *duration, *other)) : std::nullopt;
}

Result<doc::Value> compare(Op op, const doc::Value& left, const doc::Value& right) {
  if (is_number(left) && is_number(right)) return calculate(op, left, right);
  if (left.is_string() && right.is_string()) {
    return doc::Value(ordered(op, std::string_view(left.get_string()), std::string_view(right.get_string())));
  }
  if (left.is_object()) {
    if (const auto order = ordered_go_values(op, left, right)) return doc::Value(*order);
  }
  return mismatch(op, left, right);
}

Result<doc::Value> is_in(const doc::Value& needle, const doc::Value& haystack) {
  if (haystack.is_null()) return doc::Value(false);
  if (const auto* array = haystack.if_array()) {
    return doc::Value(std::ranges::any_of(*array, [&](const auto& element) { return values_equal(element, needle); }));
  }
  if (go_bytes(haystack)) return is_in(needle, bytes_as_array(haystack));
  const auto* strings = go_string_map(haystack);
  const auto kind = go_kind(haystack);
  const bool opaque = !strings && kind && kind != GoKind::kTime;
  if (kind == GoKind::kTime && !needle.is_string()) {
    return invalid("cannot use " + std::string(go_type(needle)) + " as field name of time.Time");
  }
  if (const auto* object = strings ? strings : opaque ? nullptr : haystack.if_object()) {
    if (needle.is_null()) return doc::Value(object->contains(""));
    if (!needle.is_string()) return mismatch(Op::kIn, needle, haystack);
    return doc::Value(object->contains(needle.get_string()));
  }
  return invalid("operator \"in\" not defined on " + std::string(go_type(haystack)));
}

Result<doc::Value> search(Op op, const doc::Value& left, const doc::Value& right) {
  if (left.is_null() || right.is_null()) return doc::Value(false);
  if (!left.is_string() || !right.is_string()) return mismatch(op, left, right);
  const std::string_view text = left.get_string();
  const std::string_view part = right.get_string();
  if (op == Op::kStartsWith) return doc::Value(text.starts_with(part));
  if (op == Op::kEndsWith) return doc::Value(text.ends_with(part));
  return doc::Value(text.find(part) != std::string_view::npos);
}

Result<doc::Value> range(const doc::Value& first, const doc::Value& last) {
  TIPHYS_TRY(const std::int64_t low, to_int(first));
  TIPHYS_TRY(const std::int64_t high, to_int(last));
  const auto size = range_size(low, high);
  if (!size) return fail(Code::kResourceExhausted, "memory budget exceeded");
  doc::Array numbers(*size);
  for (std::size_t i = 0; i < *size; ++i) numbers[i] = low + static_cast<std::int64_t>(i);
  return doc::Value(std::move(numbers));
}

/// The place that an index means in a sequence; an error when it is outside.
Result<std::size_t> place_of(const doc::Value& property, std::size_t size) {
  TIPHYS_TRY(std::int64_t index, to_int(property));
  if (index < 0) index += static_cast<std::int64_t>(size);
  if (index < 0 || index >= static_cast<std::int64_t>(size)) {
    return invalid("index out of range: " + std::to_string(index) + " (array length is " + std::to_string(size) + ")");
  }
  return static_cast<std::size_t>(index);
}

std::unexpected<Error> no_member(const doc::Value& base, const doc::Value& property) {
  return invalid("cannot fetch " + go_text(property) + " from " + std::string(go_type(base)));
}

}  // namespace

std::string_view op_text(Op op) {
  constexpr std::string_view kTexts[] = {"",  "not", "-",  "+",  "||",      "&&",       "==",         "!=",       "<",
                                         ">", "<=",  ">=", "in", "matches", "contains", "startsWith", "endsWith", "..",
                                         "+", "-",   "*",  "/",  "%",       "**",       "??"};
  return kTexts[static_cast<std::size_t>(op)];
}

Result<doc::Value> apply_binary(Op op, const doc::Value& left, const doc::Value& right) {
  switch (op) {
    case Op::kEqual:
      return doc::Value(values_equal(left, right));
    case Op::kNotEqual:
      return doc::Value(!values_equal(left, right));
    case Op::kLess:
    case Op::kGreater:
    case Op::kLessOrEqual:
    case Op::kGreaterOrEqual:
      return compare(op, left, right);
    case Op::kIn:
      return is_in(left, right);
    case Op::kContains:
    case Op::kStartsWith:
    case Op::kEndsWith:
      return search(op, left, right);
    case Op::kRange:
      return range(left, right);
    default:
      break;
  }
  if (op == Op::kAdd && left.is_string() && right.is_string()) {
    return doc::Value(std::string(left.get_string()) + std::string(right.get_string()));
  }
  if (left.is_object() || right.is_object()) {
    if (auto result = calculate_go_values(op, left, right)) return std::move(*result);
  }
  if (!is_number(left) || !is_number(right)) return mismatch(op, left, right);
  return calculate(op, left, right);
}

std::optional<std::size_t> range_size(std::int64_t first, std::int64_t last) {
  constexpr std::int64_t kLongest = 1'000'000;
  if (last < first) return 0;
  // It wraps: a range of 2^63 integers and more is empty.
  const auto size = static_cast<std::int64_t>(static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) + 1);
  if (size <= 0) return 0;
  return size < kLongest ? std::optional(static_cast<std::size_t>(size)) : std::nullopt;
}

Result<doc::Value> negate(const doc::Value& value) {
  if (value.is_double()) return doc::Value(-value.get_double());
  if (is_integer(value)) return integer(~bits(value) + 1);
  return invalid("invalid operation: - " + std::string(go_type(value)));
}

bool values_equal(const doc::Value& left, const doc::Value& right) {
  if (is_number(left) && is_number(right)) {
    return apply_to_numbers<bool>(Op::kEqual, left, right, [] { return false; });
  }
  if (go_bytes(left) || go_bytes(right)) {
    return (left.is_array() || right.is_array()) ? values_equal(bytes_as_array(left), bytes_as_array(right))
                                                 : left == right;
  }
  if (left.is_object()) {
    if (const auto time = go_time(left), other = go_time(right); time && other) return compare(*time, *other) == 0;
  }
  const auto* a = left.if_array();
  const auto* b = right.if_array();
  if (a && b) return std::ranges::equal(*a, *b, values_equal);
  return left == right;
}

Result<bool> value_less(const doc::Value& left, const doc::Value& right) {
  TIPHYS_TRY(const doc::Value less, compare(Op::kLess, left, right));
  return less.get_bool();
}

bool is_number(const doc::Value& value) {
  return value.is_double() || is_integer(value);
}

double to_double(const doc::Value& number) {
  if (number.is_double()) return number.get_double();
  return number.is_int64() ? static_cast<double>(number.get_int64()) : static_cast<double>(number.get_uint64());
}

Result<const doc::Value*> fetch_reference(const doc::Value& base, const doc::Value& property) {
  static const doc::Value nothing;
  static const doc::Value empty("");
  if (const auto* strings = go_string_map(base)) {
    if (property.is_null()) return &empty;
    if (!property.is_string()) return no_member(base, property);
    const doc::Value* member = strings->if_contains(property.get_string());
    return member ? member : &empty;
  }
  if (const auto* object = base.if_object()) {
    if (go_kind(base)) return no_member(base, property);
    if (property.is_null()) return &nothing;
    const std::string key = property.is_string() ? std::string(property.get_string()) : go_text(property);
    const doc::Value* member = object->if_contains(key);
    return member ? member : &nothing;
  }
  if (const auto* array = base.if_array()) {
    if (property.is_string()) return no_member(base, property);
    TIPHYS_TRY(const std::size_t place, place_of(property, array->size()));
    return &(*array)[place];
  }
  return no_member(base, property);
}

Result<doc::Value> fetch(doc::Value base, const doc::Value& property) {
  if (const auto* string = base.if_string(); string && !property.is_string()) {
    TIPHYS_TRY(const std::size_t place, place_of(property, string->size()));
    return doc::Value(static_cast<std::int64_t>(static_cast<unsigned char>((*string)[place])));
  }
  if (const auto bytes = go_bytes(base)) {
    TIPHYS_TRY(const std::size_t place, place_of(property, bytes->size()));
    return doc::Value(static_cast<std::int64_t>(static_cast<unsigned char>((*bytes)[place])));
  }
  TIPHYS_TRY(const doc::Value* member, fetch_reference(base, property));
  return *member;
}

Result<doc::Value> slice(const doc::Value& base, const doc::Value* from, const doc::Value* to) {
  if (const auto bytes = go_bytes(base)) {
    TIPHYS_TRY(doc::Value part, slice(doc::Value(*bytes), from, to));
    return make_go_value(GoKind::kBytes, std::move(part));
  }
  if (!base.is_array() && !base.is_string()) return invalid("cannot slice " + std::string(go_type(base)));
  const auto size = static_cast<std::int64_t>(base.is_array() ? base.get_array().size() : base.get_string().size());
  std::int64_t begin = 0;
  std::int64_t end = size;
  if (from) {
    TIPHYS_TRY(begin, to_int(*from));
  }
  if (to) {
    TIPHYS_TRY(end, to_int(*to));
  }
  if (begin < 0) begin = std::max<std::int64_t>(begin + size, 0);
  if (end < 0) end = std::max<std::int64_t>(end + size, 0);
  end = std::min(end, size);
  begin = std::min(begin, end);
  const auto at = static_cast<std::size_t>(begin);
  const auto length = static_cast<std::size_t>(end - begin);
  if (base.is_string()) return doc::Value(std::string_view(base.get_string()).substr(at, length));
  const auto& array = base.get_array();
  return doc::Value(doc::Array(array.begin() + at, array.begin() + at + length));
}

namespace {
std::string_view without_pointer(std::string_view type) {
  return type.starts_with('*') ? type.substr(1) : type;
}
}  // namespace

std::string_view type_word(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "nil";
    case boost::json::kind::bool_:
      return "bool";
    case boost::json::kind::int64:
      return "int";
    case boost::json::kind::uint64:
      return "uint";
    case boost::json::kind::double_:
      return "float";
    case boost::json::kind::string:
      return "string";
    case boost::json::kind::array:
      return "array";
    case boost::json::kind::object: {
      const auto kind = go_kind(value);
      if (!kind || kind == GoKind::kStringMap) return "map";
      if (kind == GoKind::kBytes) return "array";
      if (*kind == GoKind::kVersion || *kind == GoKind::kVersionPointer)
        return "github.com/Masterminds/semver/v3.Version";
      return without_pointer(go_kind_name(*kind));
    }
  }
  return "unknown";
}

}  // namespace tiphys::expr

// What values are as Go's strings, booleans and numbers.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "doc/gjson/scan.h"

namespace tiphys::doc::gjson {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c |= 0x20;
  }
  return out;
}

bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the underscores out; nullopt when one is not between digits (or after the 0x).
std::optional<std::string> without_underscores(const std::string& text, bool hexadecimal) {
  if (text.find('_') == std::string::npos) return text;
  const auto is_digit = [&](std::size_t at) {
    return at < text.size() && (is_decimal(text[at]) || (hexadecimal && text[at] >= 'a' && text[at] <= 'f'));
  };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
      continue;
    }
    const bool after_prefix = hexadecimal && i == 2;
    if (i == 0 || (!after_prefix && !is_digit(i - 1)) || !is_digit(i + 1)) return std::nullopt;
  }
  return plain;
}

/// A number in lower case without its sign, or nothing.
std::optional<double> parse_magnitude(const std::string& text) {
  const bool hexadecimal = text.starts_with("0x");
  const auto plain = without_underscores(text, hexadecimal);
  if (!plain || plain->empty() || (!is_decimal((*plain)[0]) && (*plain)[0] != '.')) return std::nullopt;
  if (hexadecimal && plain->find('p') == std::string::npos) return std::nullopt;
  double number = 0;
  const char* const end = plain->data() + plain->size();
  if (!hexadecimal) {
    const auto [stop, error] = std::from_chars(plain->data(), end, number);
    if (stop != end) return std::nullopt;
    if (error == std::errc()) return number;
  }
  char* stop = nullptr;
  number = std::strtod(plain->c_str(), &stop);
  return stop == end ? std::optional(number) : std::nullopt;
}

/// As amd64 converts: what does not fit is the least int.
std::int64_t truncate(double number) {
  if (!(number >= -0x1p63 && number < 0x1p63)) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(number);
}

/// Integers that a float holds exactly.
bool is_safe(double number) {
  return !(number < -9007199254740991.0 || number > 9007199254740991.0);
}

std::optional<std::int64_t> parse_signed_digits(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto digits = parse_digits(text.substr(negative ? 1 : 0));
  if (!digits) return std::nullopt;
  return static_cast<std::int64_t>(negative ? ~*digits + 1 : *digits);
}

}  // namespace

double parse_float(std::string_view text) {
  const bool negative = text.starts_with('-');
  const bool has_sign = negative || text.starts_with('+');
  const std::string rest = lower(text.substr(has_sign ? 1 : 0));
  if (!has_sign && rest == "nan") return std::numeric_limits<double>::quiet_NaN();
  const bool infinite = rest == "inf" || rest == "infinity";
  const auto magnitude = infinite ? std::numeric_limits<double>::infinity() : parse_magnitude(rest);
  if (!magnitude) return 0;
  return negative ? -*magnitude : *magnitude;
}

std::optional<std::uint64_t> parse_digits(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_decimal)) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) number = number * 10 + static_cast<std::uint64_t>(c - '0');
  return number;
}

std::string fixed_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> scientific;
  std::array<char, 400> fixed;
  const auto end =
      std::to_chars(scientific.data(), scientific.data() + scientific.size(), number, std::chars_format::scientific);
  // From 2^53 on to_chars writes all digits that the number has, Go the shortest ones and zeros.
  if (std::abs(number) >= 0x1p53) {
    const std::string_view text(scientific.data(), static_cast<std::size_t>(end.ptr - scientific.data()));
    const auto e = text.find('e');
    std::size_t exponent = 0;
    std::from_chars(text.data() + e + 2, end.ptr, exponent);
    std::string digits;
    for (const char c : text.substr(0, e)) {
      if (c != '.') digits += c;
    }
    digits.resize(exponent + 1 + (number < 0 ? 1 : 0), '0');
    return digits;
  }
  return {fixed.data(), std::to_chars(fixed.data(), fixed.data() + fixed.size(), number, std::chars_format::fixed).ptr};
}

std::string text_of(const Found& found) {
  switch (found.type) {
    case GjsonType::kFalse:
      return "false";
    case GjsonType::kTrue:
      return "true";
    case GjsonType::kString:
      return std::string(found.str);
    case GjsonType::kJson:
      return std::string(found.raw);
    case GjsonType::kNumber: {
      const std::string_view digits = found.raw.substr(found.raw.starts_with('-') ? 1 : 0);
      const bool integer = !found.raw.empty() && std::ranges::all_of(digits, is_decimal);
      return integer ? std::string(found.raw) : fixed_text(found.num);
    }
    default:
      return "";
  }
}

std::optional<bool> parse_bool(std::string_view text) {
  const std::string word = lower(text);
  if (word == "1" || word == "t" || word == "true") return true;
  if (word == "0" || word == "f" || word == "false") return false;
  return std::nullopt;
}

bool bool_of(const Found& found) {
  if (found.type == GjsonType::kString) return parse_bool(found.str).value_or(false);
  return found.type == GjsonType::kTrue || (found.type == GjsonType::kNumber && found.num != 0);
}

std::int64_t int_of(const Found& found) {
  switch (found.type) {
    case GjsonType::kTrue:
      return 1;
    case GjsonType::kString:
      return parse_signed_digits(found.str).value_or(0);
    case GjsonType::kNumber:
      if (is_safe(found.num)) return truncate(found.num);
      return parse_signed_digits(found.raw).value_or(truncate(found.num));
    default:
      return 0;
  }
}

std::uint64_t uint_of(const Found& found) {
  switch (found.type) {
    case GjsonType::kTrue:
      return 1;
    case GjsonType::kString:
      return parse_digits(found.str).value_or(0);
    case GjsonType::kNumber: {
      const std::int64_t truncated = truncate(found.num);
      if (is_safe(found.num) && truncated >= 0) return static_cast<std::uint64_t>(truncated);
      if (const auto digits = parse_digits(found.raw)) return *digits;
      if (found.num >= 0x1p63 && found.num < 0x1p64) return static_cast<std::uint64_t>(found.num);
      return static_cast<std::uint64_t>(truncated);
    }
    default:
      return 0;
  }
}

double float_of(const Found& found) {
  switch (found.type) {
    case GjsonType::kTrue:
      return 1;
    case GjsonType::kString:
      return parse_float(found.str);
    case GjsonType::kNumber:
      return found.num;
    default:
      return 0;
  }
}

}  // namespace tiphys::doc::gjson

#include "doc/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace tiphys::doc {
namespace {

struct Word {
  std::string_view text;
  ScalarKind kind;
  bool yes = false;
  double number = 0;
};

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr Word kWords[] = {
    {"", ScalarKind::kNull},
    {"~", ScalarKind::kNull},
    {"null", ScalarKind::kNull},
    {"Null", ScalarKind::kNull},
    {"NULL", ScalarKind::kNull},
    {"<<", ScalarKind::kMerge},
    {"y", ScalarKind::kBool, true},
    {"Y", ScalarKind::kBool, true},
    {"yes", ScalarKind::kBool, true},
    {"Yes", ScalarKind::kBool, true},
    {"YES", ScalarKind::kBool, true},
    {"true", ScalarKind::kBool, true},
    {"True", ScalarKind::kBool, true},
    {"TRUE", ScalarKind::kBool, true},
    {"on", ScalarKind::kBool, true},
    {"On", ScalarKind::kBool, true},
    {"ON", ScalarKind::kBool, true},
    {"n", ScalarKind::kBool},
    {"N", ScalarKind::kBool},
    {"no", ScalarKind::kBool},
    {"No", ScalarKind::kBool},
    {"NO", ScalarKind::kBool},
    {"false", ScalarKind::kBool},
    {"False", ScalarKind::kBool},
    {"FALSE", ScalarKind::kBool},
    {"off", ScalarKind::kBool},
    {"Off", ScalarKind::kBool},
    {"OFF", ScalarKind::kBool},
    {".nan", ScalarKind::kFloat, false, kNan},
    {".NaN", ScalarKind::kFloat, false, kNan},
    {".NAN", ScalarKind::kFloat, false, kNan},
    {".inf", ScalarKind::kFloat, false, kInf},
    {".Inf", ScalarKind::kFloat, false, kInf},
    {".INF", ScalarKind::kFloat, false, kInf},
    {"+.inf", ScalarKind::kFloat, false, kInf},
    {"+.Inf", ScalarKind::kFloat, false, kInf},
    {"+.INF", ScalarKind::kFloat, false, kInf},
    {"-.inf", ScalarKind::kFloat, false, -kInf},
    {"-.Inf", ScalarKind::kFloat, false, -kInf},
    {"-.INF", ScalarKind::kFloat, false, -kInf},
};
constexpr std::size_t kLongestWord = 5;

bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
bool looks_like_float(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t start = i;
    while (i < text.size() && digit(text[i])) ++i;
    return i - start;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  const std::size_t whole = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0 && whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

/// Go's strconv.ParseInt and ParseUint with base 0.
std::optional<Value> parse_integer(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t kMostNegative = std::uint64_t{1} << 63;
  if (negative) {
    if (magnitude > kMostNegative) return std::nullopt;
    return Value(static_cast<std::int64_t>(0 - magnitude));
  }
  if (magnitude < kMostNegative) return Value(static_cast<std::int64_t>(magnitude));
  return Value(magnitude);
}

std::optional<Value> parse_float(std::string_view text) {
  if (!looks_like_float(text)) return std::nullopt;
  if (text[0] == '+') text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) {
    // Go takes a number too small for a double as zero, and one too large not as a number.
    const auto e = text.find_first_of("eE");
    if (e == std::string_view::npos || text.substr(e + 1, 1) != "-") return std::nullopt;
    number = 0;
  } else if (error != std::errc()) {
    return std::nullopt;
  }
  // A whole number prints the same as an integer, and is then equal to what is read back.
  constexpr double kExact = 0x1p53;
  if (number == std::trunc(number) && std::abs(number) <= kExact && !(number == 0 && std::signbit(number))) {
    return Value(static_cast<std::int64_t>(number));
  }
  return Value(number);
}

Scalar resolve_number(std::string_view text) {
  std::string plain;
  if (text.find('_') != std::string_view::npos) {
    plain = text;
    std::erase(plain, '_');
    if (text[0] != '.') text = plain;
  }
  if (auto integer = parse_integer(text)) return {ScalarKind::kInt, std::move(*integer)};
  if (auto number = parse_float(text)) return {ScalarKind::kFloat, std::move(*number)};
  return {};
}

}  // namespace

Scalar resolve_scalar(std::string_view text) {
  if (text.size() <= kLongestWord) {
    for (const Word& word : kWords) {
      if (word.text != text) continue;
      switch (word.kind) {
        case ScalarKind::kBool:
          return {word.kind, Value(word.yes)};
        case ScalarKind::kFloat:
          return {word.kind, Value(word.number)};
        default:
          return {word.kind, Value()};
      }
    }
  }
  const char first = text.empty() ? ' ' : text[0];
  if (digit(first) || first == '+' || first == '-' || first == '.') return resolve_number(text);
  return {};
}

bool reads_differently_elsewhere(std::string_view text) {
  if (text.empty()) return false;
  if (text == "=") return true;
  const bool sign = text[0] == '-' || text[0] == '+';
  if (sign) text.remove_prefix(1);
  if (text.empty() || !digit(text[0])) return false;
  if (text.find(':') != std::string_view::npos) {
    if (std::ranges::all_of(text, [](char c) { return digit(c) || c == ':' || c == '.' || c == '_'; })) return true;
  }
  // yyyy-m-d, with or without a time.
  return text.size() >= 8 && std::ranges::all_of(text.substr(0, 4), digit) && text[4] == '-' && digit(text[5]);
}

}  // namespace tiphys::doc

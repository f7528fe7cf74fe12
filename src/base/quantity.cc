#include "base/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace tiphys {
namespace {

struct Suffix {
  std::string_view text;
  double factor;
};

constexpr Suffix kSuffixes[] = {
    {"", 1},
    {"n", 1e-9},
    {"u", 1e-6},
    {"m", 1e-3},
    {"k", 1e3},
    {"M", 1e6},
    {"G", 1e9},
    {"T", 1e12},
    {"P", 1e15},
    {"E", 1e18},
    {"Ki", 1024},
    {"Mi", 1 << 20},
    {"Gi", 1 << 30},
    {"Ti", 1099511627776.0},
    {"Pi", 1125899906842624.0},
    {"Ei", 1152921504606846976.0},
};

}  // namespace

Result<double> parse_quantity(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && std::isfinite(value)) {
    const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
    for (const Suffix& known : kSuffixes) {
      if (known.text == suffix) return value * known.factor;
    }
  }
  return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not a quantity; write it like 500m, 2 or 128Mi", text));
}

namespace {

struct Form10 {
  std::string_view suffix;
  int exponent;
};
constexpr Form10 kDecimals[] = {{"n", -9}, {"u", -6}, {"m", -3}, {"", 0},   {"k", 3},
                                {"M", 6},  {"G", 9},  {"T", 12}, {"P", 15}, {"E", 18}};
constexpr std::string_view kBinaries[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
constexpr int kMostDigits = 10;  ///< behind the point; what is more rounds up

/// The parts of a number's text.
struct Digits {
  bool negative = false;
  __extension__ unsigned __int128 mantissa = 0;
  int fraction = 0;      ///< digits of the mantissa behind the point
  bool inexact = false;  ///< there were more
  bool huge = false;
  std::string_view suffix;
};

std::optional<Digits> split(std::string_view text) {
  Digits found;
  std::size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) found.negative = text[i++] == '-';
  int digits = 0;
  bool point = false;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !point) {
      point = true;
    } else if (text[i] < '0' || text[i] > '9') {
      break;
    } else if (point && found.fraction == kMostDigits) {
      found.inexact = found.inexact || text[i] != '0';
      ++digits;
    } else {
      found.mantissa = found.mantissa * 10 + static_cast<unsigned>(text[i] - '0');
      if (point) ++found.fraction;
      found.huge = found.huge || found.mantissa > (static_cast<decltype(found.mantissa)>(1) << 110);
      if (found.huge) found.mantissa = static_cast<decltype(found.mantissa)>(1) << 110;
      ++digits;
    }
  }
  if (digits == 0) return std::nullopt;
  found.suffix = text.substr(i);
  return found;
}

}  // namespace

Result<Quantity> Quantity::parse(std::string_view text) {
  const auto refused = [&] {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not a quantity; write it like 500m, 2 or 128Mi", text));
  };
  const auto digits = split(text);
  if (!digits) return refused();
  Quantity made;
  int twos = 0, tens = 0;
  if (const auto binary = std::ranges::find(kBinaries, digits->suffix);
      binary != std::end(kBinaries) && !digits->suffix.empty()) {
    made.form_ = Form::kBinary;
    twos = static_cast<int>(binary - std::begin(kBinaries)) * 10;
  } else if (const auto decimal = std::ranges::find(kDecimals, digits->suffix, &Form10::suffix);
             decimal != std::end(kDecimals)) {
    tens = decimal->exponent;
  } else {
    made.form_ = Form::kExponent;
    std::string_view exponent = digits->suffix.substr(1);
    if (!digits->suffix.starts_with('e') && !digits->suffix.starts_with('E')) return refused();
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    const auto [end, error] = std::from_chars(exponent.data(), exponent.data() + exponent.size(), tens);
    if (error != std::errc() || end != exponent.data() + exponent.size() || exponent.empty()) return refused();
  }
  const long double estimate =
      static_cast<long double>(digits->mantissa) * std::pow(2.0L, twos) * std::pow(10.0L, tens - digits->fraction);
  if (digits->huge || estimate >= static_cast<long double>(INT64_MAX)) {
    made.nanos_ = kMost;
  } else {
    Wide nanos = static_cast<Wide>(digits->mantissa) << twos;
    bool inexact = digits->inexact;
    for (int shift = tens - digits->fraction + 9; shift != 0 && nanos != 0; shift += shift > 0 ? -1 : 1) {
      if (shift > 0) {
        nanos *= 10;
      } else {
        inexact = inexact || nanos % 10 != 0;
        nanos /= 10;
        if (nanos == 0) break;
      }
    }
    made.nanos_ = nanos + (inexact ? 1 : 0);
  }
  if (digits->negative) made.nanos_ = -made.nanos_;
  return made;
}

Quantity::Wide Quantity::rounded(std::int64_t unit) const {
  const Wide whole = nanos_ / unit;
  if (nanos_ % unit == 0) return whole;
  return nanos_ > 0 ? whole + 1 : whole - 1;
}

std::string Quantity::decimal_text(bool exponent) const {
  if (nanos_ == 0) return "0";
  Wide mantissa = nanos_;
  int tens = -9;
  while (mantissa % 10 == 0) {
    mantissa /= 10;
    ++tens;
  }
  while (tens % 3 != 0) {
    mantissa *= 10;
    --tens;
  }
  const auto number = static_cast<std::int64_t>(mantissa);
  if (exponent) return tens == 0 ? fmt::format("{}", number) : fmt::format("{}e{}", number, tens);
  return fmt::format("{}{}", number, std::ranges::find(kDecimals, tens, &Form10::exponent)->suffix);
}

std::string Quantity::text() const {
  constexpr Wide kLeast = Wide{1024} * kNano;
  const bool binary = form_ == Form::kBinary && is_whole() && (nanos_ <= -kLeast || nanos_ >= kLeast);
  if (!binary) return decimal_text(form_ == Form::kExponent);
  std::int64_t number = value();
  std::size_t power = 0;
  for (; number % 1024 == 0 && power + 1 < std::size(kBinaries); ++power) number /= 1024;
  return fmt::format("{}{}", number, kBinaries[power]);
}

Quantity& Quantity::operator+=(const Quantity& other) {
  if (is_zero()) form_ = other.form_;
  nanos_ = std::clamp(nanos_ + other.nanos_, -kMost, kMost);
  return *this;
}

Quantity& Quantity::operator-=(const Quantity& other) {
  if (is_zero()) form_ = other.form_;
  nanos_ = std::clamp(nanos_ - other.nanos_, -kMost, kMost);
  return *this;
}

}  // namespace tiphys

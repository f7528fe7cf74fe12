#include "expr/go_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "expr/go_value.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

void append_text(const doc::Value& value, std::string& out) {
  switch (value.kind()) {
    case boost::json::kind::null:
      out += "<nil>";
      return;
    case boost::json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case boost::json::kind::int64:
      out += std::to_string(value.get_int64());
      return;
    case boost::json::kind::uint64:
      out += std::to_string(value.get_uint64());
      return;
    case boost::json::kind::double_:
      out += go_float_text(value.get_double());
      return;
    case boost::json::kind::string:
      out += std::string_view(value.get_string());
      return;
    case boost::json::kind::array: {
      out += '[';
      const auto& array = value.get_array();
      for (std::size_t i = 0; i < array.size(); ++i) {
        if (i) out += ' ';
        append_text(array[i], out);
      }
      out += ']';
      return;
    }
    case boost::json::kind::object: {
      if (go_kind(value)) {
        out += go_value_text(value);
        return;
      }
      std::vector<const doc::Object::value_type*> members;
      for (const auto& member : value.get_object()) members.push_back(&member);
      std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
      out += "map[";
      for (const auto* member : members) {
        if (member != members.front()) out += ' ';
        out += std::string_view(member->key());
        out += ':';
        append_text(member->value(), out);
      }
      out += ']';
      return;
    }
  }
}

/// The digits without their prefix and underscores; nullopt when an underscore stands wrongly. Sets `base`.
std::optional<std::string> strip_prefix(std::string_view digits, int& base) {
  const auto starts = [&](char letter) {
    return digits.size() > 2 && digits[0] == '0' && (digits[1] | 0x20) == letter;
  };
  const bool prefixed = digits.size() > 1 && digits[0] == '0';
  if (starts('x') || starts('b') || starts('o')) {
    base = starts('x') ? 16 : starts('b') ? 2 : 8;
    digits.remove_prefix(2);
  } else {
    base = prefixed ? 8 : 10;
  }
  std::string plain;
  bool after_digit = prefixed;
  for (const char c : digits) {
    if (c == '_') {
      if (!after_digit) return std::nullopt;
      after_digit = false;
    } else {
      plain += c;
      after_digit = true;
    }
  }
  if (!after_digit) return std::nullopt;
  return plain;
}

/// Underscores may stand between digits, and after 0x. False when one stands elsewhere.
bool drop_underscores(std::string& digits, bool hex) {
  const auto is_digit = [&](std::size_t at) {
    return at < digits.size() && (hex ? std::isxdigit(digits[at]) != 0 : std::isdigit(digits[at]) != 0);
  };
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] != '_') continue;
    const bool after = i == 0 ? hex : is_digit(i - 1);
    if (!after || !is_digit(i + 1)) return false;
  }
  std::erase(digits, '_');
  return true;
}

}  // namespace

std::string go_text(const doc::Value& value) {
  std::string out;
  append_text(value, out);
  return out;
}

std::string go_float_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  std::array<char, 64> buffer;
  char* const begin = buffer.data();
  char* const limit = begin + buffer.size();
  const char* end = std::to_chars(begin, limit, number, std::chars_format::scientific).ptr;
  const std::string_view scientific(begin, static_cast<std::size_t>(end - begin));
  int exponent = 0;
  const char* digits = begin + scientific.find('e') + 1;
  std::from_chars(*digits == '+' ? digits + 1 : digits, end, exponent);
  if (exponent < -4 || exponent >= 6) return std::string(scientific);
  end = std::to_chars(begin, limit, number, std::chars_format::fixed).ptr;
  return std::string(static_cast<const char*>(begin), end);
}

std::string go_fixed_text(double number) {
  std::array<char, 64> buffer;
  const char* const limit =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(number), std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(limit - buffer.data()));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), limit, exponent);
  std::string out = std::signbit(number) ? "-" : "";
  if (exponent < 0) {
    out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
    return out;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  out += digits.substr(0, whole);
  if (digits.size() > whole) out += '.' + digits.substr(whole);
  return out;
}

std::string go_quote(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kControls = "\a\b\t\n\v\f\r";  // 7 to 13
  std::string out = "\"";
  const auto hex = [&](std::uint32_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHex[(value >> shift) & 15];
  };
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[i];
    } else if (const auto control = kControls.find(text[i]); byte < 0x20 && control != std::string_view::npos) {
      out += '\\';
      out += "abtnvfr"[control];
    } else if (c.value < 0x20 || c.value == 0x7F || (byte >= 0x80 && c.size == 1)) {
      out += "\\x";
      hex(byte, 2);
    } else if (!is_print(c.value)) {
      out += c.value < 0x10000 ? "\\u" : "\\U";
      hex(c.value, c.value < 0x10000 ? 4 : 8);
    } else {
      out += text.substr(i, c.size);
    }
    i += c.size;
  }
  return out + '"';
}

std::string_view go_type(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "<nil>";
    case boost::json::kind::bool_:
      return "bool";
    case boost::json::kind::int64:
      return "int";
    case boost::json::kind::uint64:
      return "uint64";
    case boost::json::kind::double_:
      return "float64";
    case boost::json::kind::string:
      return "string";
    case boost::json::kind::array:
      return "[]interface {}";
    case boost::json::kind::object: {
      const auto kind = go_kind(value);
      return kind ? go_kind_name(*kind) : "map[string]interface {}";
    }
  }
  return "";
}

std::optional<std::int64_t> parse_go_int(std::string_view text, int base) {
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  std::string plain;
  if (base == 0) {
    auto stripped = strip_prefix(text, base);
    if (!stripped) return std::nullopt;
    plain = std::move(*stripped);
    text = plain;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  if (number > kHalf || (number == kHalf && !negative)) return std::nullopt;
  return static_cast<std::int64_t>(negative ? ~number + 1 : number);
}

std::optional<double> parse_go_float(std::string_view text) {
  double sign = 1;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    if (text[0] == '-') sign = -1;
    text.remove_prefix(1);
  }
  if (text.empty() || text[0] == '-' || text[0] == '+') return std::nullopt;
  const std::string word = to_lower(text);
  if (word == "inf" || word == "infinity") return sign * std::numeric_limits<double>::infinity();
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text[0] != '.' && (text[0] < '0' || text[0] > '9')) return std::nullopt;
  const bool hex = word.starts_with("0x");
  // A hexadecimal number needs its exponent.
  if (hex && (word.find('p') == std::string::npos || word.size() < 3 || word[2] == '-')) return std::nullopt;
  std::string digits = word.substr(hex ? 2 : 0);
  if (!drop_underscores(digits, hex)) return std::nullopt;
  double number = 0;
  const char* const limit = digits.data() + digits.size();
  const auto form = hex ? std::chars_format::hex : std::chars_format::general;
  const auto [end, error] = std::from_chars(digits.data(), limit, number, form);
  if (end != limit) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Too small is zero in Go, too large an error.
    const auto e = word.find("e-");
    return e == std::string::npos ? std::nullopt : std::optional(sign * 0.0);
  }
  if (error != std::errc()) return std::nullopt;
  return sign * number;
}

std::int64_t truncate_to_int(double number) {
  if (!(number > -9223372036854775808.0 && number < 9223372036854775808.0)) {
    return std::numeric_limits<std::int64_t>::min();
  }
  return static_cast<std::int64_t>(number);
}

}  // namespace tiphys::expr

#include "doc/value.h"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>

namespace tiphys::doc {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 64;

/// Builds a value while parsing. Boost's own handler rounds doubles inexactly; this one reads their text again.
class Builder {
 public:
  static constexpr std::size_t max_object_size = Object::max_size();
  static constexpr std::size_t max_array_size = Array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  Builder() { stack_.reset(); }
  Value release() { return stack_.release(); }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t n, json::error_code&) {
    stack_.push_object(n);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t n, json::error_code&) {
    stack_.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view part, json::error_code&) {
    number_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t number, json::string_view, json::error_code&) {
    number_.clear();
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, json::error_code&) {
    number_.clear();
    stack_.push_uint64(number);
    return true;
  }
  bool on_double(double rough, json::string_view part, json::error_code& ec) {
    number_.append(part.data(), part.size());
    double exact = rough;
    const auto [end, error] = std::from_chars(number_.data(), number_.data() + number_.size(), exact);
    // Out of range is too large, or so small that it is zero.
    if (error == std::errc::result_out_of_range) exact = std::abs(rough) < 1 ? 0 : HUGE_VAL;
    number_.clear();
    if (std::isinf(exact)) {
      ec = json::error::exponent_overflow;
      return false;
    }
    stack_.push_double(exact);
    return true;
  }
  bool on_bool(bool value, json::error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(json::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  json::value_stack stack_;
  std::string number_;
};

void append_escaped(std::string& out, std::string_view text, std::size_t& i) {
  const auto c = static_cast<unsigned char>(text[i]);
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  if (c < 0x20) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
  } else if (text.substr(i, 2) == "\xE2\x80" && i + 2 < text.size() &&
             (text[i + 2] == '\xA8' || text[i + 2] == '\xA9')) {
    out += text[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
    i += 2;
  } else {
    out += static_cast<char>(c);
  }
}

/// The shortest text that reads back as `number`, laid out as Go's encoding/json does.
void append_double(std::string& out, double number) {
  char buffer[400];
  const double magnitude = std::abs(number);
  const bool scientific = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, number,
                                          scientific ? std::chars_format::scientific : std::chars_format::fixed);
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  if (!scientific && magnitude >= 0x1p53) {
    // to_chars prints all digits that the number has, Go the shortest ones followed by zeros.
    const auto shortest = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
    const std::string_view digits(buffer, static_cast<std::size_t>(shortest - buffer));
    const auto e = digits.find('e');
    int exponent = 0;
    std::from_chars(digits.data() + e + 2, shortest, exponent);
    for (const char c : digits.substr(0, e)) {
      if (c != '.') out += c;
    }
    const auto point = digits.find('.');
    const int fraction = point < e ? static_cast<int>(e - point - 1) : 0;
    out.append(static_cast<std::size_t>(exponent - fraction), '0');
    return;
  }
  out += text;
  // 1e-09 is 1e-9 in Go.
  if (scientific && out.size() >= 4 && out[out.size() - 4] == 'e' && out[out.size() - 3] == '-' &&
      out[out.size() - 2] == '0') {
    out.erase(out.size() - 2, 1);
  }
}

void append_scalar(std::string& out, const Value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      break;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case json::kind::int64:
      fmt::format_to(std::back_inserter(out), "{}", value.get_int64());
      break;
    case json::kind::uint64:
      fmt::format_to(std::back_inserter(out), "{}", value.get_uint64());
      break;
    case json::kind::double_:
      append_double(out, value.get_double());
      break;
    case json::kind::string:
      append_json_string(out, value.get_string());
      break;
    default:
      break;
  }
}

/// Line breaks where `indent` is not negative.
struct Layout {
  int indent = -1;

  void line(std::string& out, int depth) const {
    if (indent < 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth), ' ');
  }
};

void append_value(std::string& out, const Value& value, Layout layout, int depth) {
  if (const Object* object = value.if_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!first) out += ',';
      first = false;
      layout.line(out, depth + 1);
      append_json_string(out, key);
      out += layout.indent < 0 ? ":" : ": ";
      append_value(out, member, layout, depth + 1);
    }
    if (!first) layout.line(out, depth);
    out += '}';
  } else if (const Array* array = value.if_array()) {
    out += '[';
    bool first = true;
    for (const auto& element : *array) {
      if (!first) out += ',';
      first = false;
      layout.line(out, depth + 1);
      append_value(out, element, layout, depth + 1);
    }
    if (!first) layout.line(out, depth);
    out += ']';
  } else {
    append_scalar(out, value);
  }
}

}  // namespace

Object& ensure_object(Object& parent, std::string_view key) {
  Value& member = parent[key];
  return member.is_object() ? member.get_object() : member.emplace_object();
}

Result<Value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<Builder> parser(options);
  json::error_code ec;
  std::size_t used = 0;
  try {
    used = parser.write_some(false, text.data(), text.size(), ec);
  } catch (const std::exception& error) {
    return fail(Code::kInvalidArgument, fmt::format("JSON: {}", error.what()));
  }
  if (!ec && used < text.size()) ec = json::error::extra_data;
  if (ec) {
    return fail(Code::kInvalidArgument, fmt::format("JSON, offset {}: {}", used, ec.message()));
  }
  return parser.handler().release();
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // start of what needs no escape
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0xE2) continue;
    out.append(text, plain, i - plain);
    append_escaped(out, text, i);
    plain = i + 1;
  }
  out.append(text, plain);
  out += '"';
}

void append_json(std::string& out, const Value& value) {
  append_value(out, value, Layout{}, 0);
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string to_pretty_json(const Value& value, int indent) {
  std::string out;
  append_value(out, value, Layout{indent}, 0);
  return out;
}

std::string scalar_text(const Value& value) {
  if (const json::string* text = value.if_string()) return std::string(*text);
  return to_json(value);
}

}  // namespace tiphys::doc

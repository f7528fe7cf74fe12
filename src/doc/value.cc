#include "doc/value.h"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>

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

std::string scalar_text(const Value& value) {
  if (const json::string* text = value.if_string()) return std::string(*text);
  return to_json(value);
}

}  // namespace tiphys::doc

#include "expr/go_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "expr/go_text.h"
#include "expr/go_value.h"

namespace tiphys::expr {
namespace {

void make_floats(doc::Value& value) {
  if (value.is_int64()) {
    value = static_cast<double>(value.get_int64());
  } else if (value.is_uint64()) {
    value = static_cast<double>(value.get_uint64());
  } else if (auto* array = value.if_array()) {
    for (doc::Value& element : *array) make_floats(element);
  } else if (auto* object = value.if_object()) {
    for (auto& member : *object) make_floats(member.value());
  }
}

/// The text with \ufffd for every \ud800 to \udfff that is not half of a pair; "" when there is none.
std::string without_lone_surrogates(std::string_view text) {
  std::string out;
  std::size_t copied = 0;
  const auto unit_at = [&](std::size_t at) {
    unsigned unit = 0;
    const char* const digits = text.data() + at + 2;
    const bool escape = at + 6 <= text.size() && text[at] == '\\' && text[at + 1] == 'u';
    return escape && std::from_chars(digits, digits + 4, unit, 16).ptr == digits + 4 ? unit : 0;
  };
  const auto between = [](unsigned unit, unsigned first, unsigned last) { return unit >= first && unit <= last; };
  for (std::size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
    const unsigned unit = unit_at(at);
    if (!between(unit, 0xD800, 0xDFFF)) {
      at += 2;
      continue;
    }
    if (between(unit, 0xD800, 0xDBFF) && between(unit_at(at + 6), 0xDC00, 0xDFFF)) {
      at += 12;
      continue;
    }
    out += text.substr(copied, at - copied);
    out += "\\ufffd";
    copied = at += 6;
  }
  if (copied > 0) out += text.substr(copied);
  return out;
}

class Writer {
 public:
  Writer(std::string_view indent, bool pretty, bool html, std::string& out)
      : indent_(indent), pretty_(pretty), html_(html), out_(out) {}

  void write(const doc::Value& value) {
    if (const auto* object = value.if_object()) {
      if (go_kind(value)) return write(go_value_plain(value));
      write_object(*object);
    } else if (const auto* array = value.if_array()) {
      write_array(*array);
    } else {
      write_scalar(value);
    }
  }

 private:
  void write_object(const doc::Object& object) {
    if (object.empty()) {
      out_ += "{}";
      return;
    }
    std::vector<const doc::Object::value_type*> members;
    for (const auto& member : object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
    char before = '{';
    ++depth_;
    for (const auto* member : members) {
      out_ += before;
      before = ',';
      new_line();
      append_go_json_string(member->key(), html_, out_);
      out_ += pretty_ ? ": " : ":";
      write(member->value());
    }
    --depth_;
    new_line();
    out_ += '}';
  }

  void write_array(const doc::Array& array) {
    if (array.empty()) {
      out_ += "[]";
      return;
    }
    char before = '[';
    ++depth_;
    for (const auto& element : array) {
      out_ += before;
      before = ',';
      new_line();
      write(element);
    }
    --depth_;
    new_line();
    out_ += ']';
  }

  void write_scalar(const doc::Value& value) {
    switch (value.kind()) {
      case boost::json::kind::bool_:
        out_ += value.get_bool() ? "true" : "false";
        break;
      case boost::json::kind::int64:
        out_ += std::to_string(value.get_int64());
        break;
      case boost::json::kind::uint64:
        out_ += std::to_string(value.get_uint64());
        break;
      case boost::json::kind::double_:
        out_ += go_json_float(value.get_double());
        break;
      case boost::json::kind::string:
        append_go_json_string(value.get_string(), html_, out_);
        break;
      default:
        out_ += "null";
    }
  }

  void new_line() {
    if (!pretty_) return;
    out_ += '\n';
    for (int i = 0; i < depth_; ++i) out_ += indent_;
  }

  std::string_view indent_;
  bool pretty_;
  bool html_;
  std::string& out_;
  int depth_ = 0;
};

}  // namespace

Status check_go_json(const doc::Value& value) {
  if (const auto* array = value.if_array()) {
    for (const doc::Value& element : *array) TIPHYS_CHECK_OK(check_go_json(element));
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) TIPHYS_CHECK_OK(check_go_json(member.value()));
  } else if (value.is_double() && !std::isfinite(value.get_double())) {
    return fail(Code::kInvalidArgument, "json: unsupported value: " + go_float_text(value.get_double()));
  }
  return {};
}

void append_go_json(const doc::Value& value, std::string& out) {
  Writer({}, false, true, out).write(value);
}

std::string go_json_indented(const doc::Value& value, std::string_view indent) {
  std::string out;
  Writer(indent, true, true, out).write(value);
  return out;
}

std::string go_json_raw(const doc::Value& value) {
  std::string out;
  Writer({}, false, false, out).write(value);
  return out;
}

Result<doc::Value> parse_go_json(std::string_view text) {
  const std::string paired = without_lone_surrogates(text);
  TIPHYS_TRY(doc::Value value, doc::parse_json(paired.empty() ? text : paired));
  make_floats(value);
  return value;
}

std::string go_json_float(double number) {
  std::array<char, 32> buffer;
  if (!std::isfinite(number)) return "null";
  const double size = std::abs(number);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  if (!exponent) return go_fixed_text(number);
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific).ptr;
  std::string text(buffer.data(), end);
  // encoding/json drops the zero of e-09.
  if (const auto at = text.find("e-0"); at != std::string::npos) text.erase(at + 2, 1);
  return text;
}

}  // namespace tiphys::expr

#include "doc/go_json_string.h"

#include "doc/utf8.h"

namespace tiphys::doc {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

void append_control(unsigned char c, std::string& out) {
  switch (c) {
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
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

}  // namespace

void append_go_json_string(std::string_view text, bool html, std::string& out) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      const CodePoint point = code_point_at(text, i);
      if (point.size == 1) {
        out += "\\ufffd";
      } else if (point.value == 0x2028 || point.value == 0x2029) {
        out += point.value == 0x2028 ? "\\u2028" : "\\u2029";
      } else {
        out += text.substr(i, point.size);
      }
      i += point.size;
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[i];
    } else if (c < 0x20 || (html && (c == '<' || c == '>' || c == '&'))) {
      append_control(c, out);
    } else {
      out += text[i];
    }
    ++i;
  }
  out += '"';
}

}  // namespace tiphys::doc

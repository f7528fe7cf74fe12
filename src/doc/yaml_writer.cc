#include <algorithm>

#include "doc/yaml.h"
#include "doc/yaml_scalar.h"

namespace tiphys::doc {
namespace {

enum class Style { kPlain, kSingle, kDouble, kLiteral };

/// Characters that only an escape can carry: controls, and what YAML 1.1 takes for line breaks or marks.
bool needs_escape(std::string_view text, bool breaks_allowed) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n' && breaks_allowed) continue;
    if (c < 0x20 || c == 0x7F) return true;
    const std::string_view rest = text.substr(i);
    if (c == 0xC2 && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xA0) return true;
    if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9") || rest.starts_with("\xEF\xBB\xBF")) {
      return true;
    }
    if (rest.starts_with("\xEF\xBF\xBE") || rest.starts_with("\xEF\xBF\xBF")) return true;
  }
  return false;
}

bool reads_as_plain(std::string_view text) {
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`";
  const char first = text.front();
  if (first == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (kIndicators.find(first) != std::string_view::npos) {
    const bool may_start = first == '-' && text.size() > 1 && text[1] != ' ' && text[1] != '-';
    if (!may_start) return false;
  }
  return text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos &&
         !text.starts_with("...");
}

Style style_of(std::string_view text, bool key) {
  if (text.empty()) return Style::kDouble;
  const auto feed = text.find('\n');
  if (feed != std::string_view::npos) {
    // A literal block takes its indentation from its first line, so that may not be empty or start with a space.
    const bool literal = !key && text.front() != ' ' && text.front() != '\n' && !needs_escape(text, true);
    return literal ? Style::kLiteral : Style::kDouble;
  }
  if (needs_escape(text, false)) return Style::kDouble;
  if (resolve_scalar(text).kind != ScalarKind::kString || reads_differently_elsewhere(text)) return Style::kDouble;
  return reads_as_plain(text) ? Style::kPlain : Style::kSingle;
}

class Writer {
 public:
  std::string take(const Value& root) {
    if (nested(root)) {
      children(root, 0, false);
    } else {
      scalar(root, 0);
      out_ += '\n';
    }
    return std::move(out_);
  }

 private:
  static bool nested(const Value& value) {
    if (const Object* object = value.if_object()) return !object->empty();
    const Array* array = value.if_array();
    return array && !array->empty();
  }

  void indent(int depth) { out_.append(static_cast<std::size_t>(depth) * 2, ' '); }

  /// The members or elements; the first one stands where the output is when `inline_first`.
  void children(const Value& value, int depth, bool inline_first) {
    bool first = inline_first;
    const auto start = [&] {
      if (!first) indent(depth);
      first = false;
    };
    if (const Object* object = value.if_object()) {
      for (const auto& [key, member] : *object) {
        start();
        string(key, depth, true);
        out_ += ':';
        // A list stands at the indentation of its key, as Kubernetes' tools print it.
        if (nested(member)) {
          out_ += '\n';
          children(member, member.is_array() ? depth : depth + 1, false);
        } else {
          out_ += ' ';
          scalar(member, depth + 1);
          out_ += '\n';
        }
      }
      return;
    }
    for (const Value& element : value.get_array()) {
      start();
      out_ += "- ";
      if (nested(element)) {
        children(element, depth + 1, true);
      } else {
        scalar(element, depth + 1);
        out_ += '\n';
      }
    }
  }

  void scalar(const Value& value, int depth) {
    if (const auto* text = value.if_string()) {
      string(*text, depth, false);
    } else {
      out_ += to_json(value);
    }
  }

  void string(std::string_view text, int depth, bool key) {
    switch (style_of(text, key)) {
      case Style::kPlain:
        out_ += text;
        return;
      case Style::kSingle:
        out_ += '\'';
        for (const char c : text) out_.append(c == '\'' ? 2 : 1, c);
        out_ += '\'';
        return;
      case Style::kDouble:
        double_quoted(text);
        return;
      case Style::kLiteral:
        literal(text, depth);
        return;
    }
  }

  void double_quoted(std::string_view text) {
    // JSON's escapes are YAML's; the few characters that only YAML minds are put in as escapes of their own.
    const std::string json = to_json(Value(boost::json::string(text)));
    for (std::size_t i = 0; i < json.size(); ++i) {
      const std::string_view rest = std::string_view(json).substr(i);
      if (rest[0] == '\x7F') {
        out_ += "\\x7f";
      } else if (rest[0] == '\xC2' && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xA0) {
        constexpr std::string_view kHex = "0123456789abcdef";
        const auto code = static_cast<unsigned char>(rest[1]);
        out_ += "\\x";
        out_ += kHex[code >> 4];
        out_ += kHex[code & 15];
        ++i;
      } else if (rest.starts_with("\xEF\xBB\xBF") || rest.starts_with("\xEF\xBF\xBE") ||
                 rest.starts_with("\xEF\xBF\xBF")) {
        out_ += rest[1] == '\xBB' ? "\\ufeff" : rest[2] == '\xBE' ? "\\ufffe" : "\\uffff";
        i += 2;
      } else {
        out_ += json[i];
      }
    }
  }

  void literal(std::string_view text, int depth) {
    const auto last = text.find_last_not_of('\n');
    const std::size_t feeds = text.size() - last - 1;
    out_ += feeds == 0 ? "|-" : feeds == 1 ? "|" : "|+";
    std::string_view rest = feeds == 0 ? text : text.substr(0, text.size() - 1);
    for (;;) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      out_ += '\n';
      if (!line.empty()) {
        indent(std::max(depth, 1));
        out_ += line;
      }
      if (line.size() == rest.size()) return;
      rest.remove_prefix(line.size() + 1);
    }
  }

  std::string out_;
};

}  // namespace

std::string to_yaml(const Value& value) {
  return Writer().take(value);
}

}  // namespace tiphys::doc

#include "artifact/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tiphys::artifact {
namespace {

constexpr int kMostDepth = 32;
constexpr std::string_view kSpace = " \t\r\n";

struct Entity {
  std::string_view name;
  char letter;
};
constexpr Entity kEntities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};

void append_utf8(std::uint32_t code, std::string& out) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<XmlElement> document() {
    TIPHYS_CHECK_OK(skip_misc());
    return element(0);
  }

 private:
  std::unexpected<Error> bad(std::string_view what) const {
    return fail(Code::kDataLoss, fmt::format("XML: {} at byte {}", what, at_));
  }
  bool sees(std::string_view token) const { return text_.substr(at_).starts_with(token); }
  /// Past the next `token`.
  Status skip_past(std::string_view token) {
    const auto end = text_.find(token, at_);
    if (end == text_.npos) return bad(fmt::format("no \"{}\"", token));
    at_ = end + token.size();
    return {};
  }

  /// White space, declarations and comments.
  Status skip_misc() {
    for (;;) {
      at_ = std::min(text_.find_first_not_of(kSpace, at_), text_.size());
      if (sees("<?")) {
        TIPHYS_CHECK_OK(skip_past("?>"));
      } else if (sees("<!--")) {
        TIPHYS_CHECK_OK(skip_past("-->"));
      } else {
        return {};
      }
    }
  }

  Result<XmlElement> element(int depth) {
    if (depth > kMostDepth) return bad("too many elements in each other");
    if (!sees("<") || sees("</") || sees("<!")) return bad("an element is missing");
    ++at_;
    const auto name_end = text_.find_first_of(" \t\r\n/>", at_);
    if (name_end == text_.npos || name_end == at_) return bad("an element has no name");
    const std::string_view name = text_.substr(at_, name_end - at_);
    XmlElement made;
    made.name = name.substr(name.find(':') == name.npos ? 0 : name.find(':') + 1);
    at_ = name_end;
    TIPHYS_CHECK_OK(skip_attributes());
    if (text_[at_ - 2] == '/') return made;
    TIPHYS_CHECK_OK(content(made, name, depth));
    return made;
  }

  /// Past the ">" of the tag.
  Status skip_attributes() {
    char quote = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quote) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '>') {
        ++at_;
        return {};
      }
    }
    return bad("a tag has no end");
  }

  Status content(XmlElement& made, std::string_view name, int depth) {
    for (;;) {
      const auto next = text_.find('<', at_);
      if (next == text_.npos) return bad(fmt::format("<{}> is not closed", name));
      TIPHYS_CHECK_OK(append_text(text_.substr(at_, next - at_), made.text));
      at_ = next;
      if (sees("</")) {
        if (!text_.substr(at_ + 2).starts_with(name)) return bad(fmt::format("<{}> is not closed", name));
        return skip_past(">");
      }
      constexpr std::string_view kRawText = "<![CDATA[";
      if (sees("<!--")) {
        TIPHYS_CHECK_OK(skip_past("-->"));
      } else if (sees(kRawText)) {
        const std::size_t begin = at_ + kRawText.size();
        TIPHYS_CHECK_OK(skip_past("]]>"));
        made.text += text_.substr(begin, at_ - 3 - begin);
      } else {
        TIPHYS_TRY(XmlElement child, element(depth + 1));
        made.children.push_back(std::move(child));
      }
    }
  }

  Status append_text(std::string_view raw, std::string& out) const {
    while (!raw.empty()) {
      const auto mark = raw.find('&');
      out += raw.substr(0, mark);
      if (mark == raw.npos) return {};
      const auto end = raw.find(';', mark);
      if (end == raw.npos) return bad("a reference has no end");
      TIPHYS_CHECK_OK(append_reference(raw.substr(mark + 1, end - mark - 1), out));
      raw.remove_prefix(end + 1);
    }
    return {};
  }

  Status append_reference(std::string_view name, std::string& out) const {
    const auto known = std::ranges::find(kEntities, name, &Entity::name);
    if (known != std::end(kEntities)) {
      out += known->letter;
      return {};
    }
    const bool hex = name.starts_with("#x");
    if (!name.starts_with('#')) return bad("an unknown reference");
    name.remove_prefix(hex ? 2 : 1);
    std::uint32_t code = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
    if (parsed.ptr != name.data() + name.size() || name.empty() || code > 0x10FFFF) return bad("an unknown reference");
    append_utf8(code, out);
    return {};
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const XmlElement* XmlElement::find(std::string_view child) const {
  const auto found = std::ranges::find(children, child, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::child_text(std::string_view child) const {
  const XmlElement* found = find(child);
  return found ? std::string_view(found->text) : "";
}

Result<XmlElement> parse_xml(std::string_view text) {
  return Parser(text).document();
}

std::string xml_text(std::string_view text) {
  std::string made;
  for (const char c : text) {
    const auto known = std::ranges::find(kEntities, c, &Entity::letter);
    if (known == std::end(kEntities)) {
      made += c;
    } else {
      made += fmt::format("&{};", known->name);
    }
  }
  return made;
}

}  // namespace tiphys::artifact

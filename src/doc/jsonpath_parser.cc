#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "doc/jsonpath_syntax.h"

namespace tiphys::doc::jsonpath {
namespace {

constexpr std::size_t kMaxText = 8192;
constexpr int kMaxNesting = 32;
constexpr auto kNone = std::string_view::npos;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Letters of other scripts are letters too.
bool is_name(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
}

std::optional<std::int64_t> parse_int(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// "a==b" in its three parts. One whose operator is at its end gives the operator's last character to the right side.
struct Comparison {
  std::string_view left, op, right;
};
std::optional<Comparison> comparison(std::string_view text) {
  constexpr std::string_view kOperators = "!<>=";
  const std::size_t start = text.find_first_of(kOperators);
  if (start == 0 || start == kNone) return std::nullopt;
  std::size_t end = std::min(text.find_first_not_of(kOperators, start), text.size());
  if (end == text.size()) --end;
  if (end == start) return std::nullopt;
  return Comparison{text.substr(0, start), text.substr(start, end - start), text.substr(end)};
}

class Parser {
 public:
  Parser(std::string_view text, int nesting) : text_(text), nesting_(nesting) {}

  Result<List> parse() {
    List out;
    while (!done()) {
      const std::size_t brace = std::min(text_.find('{', at_), text_.size());
      if (brace > at_) out.push_back({Text{std::string(text_.substr(at_, brace - at_))}});
      at_ = brace + 1;
      if (brace == text_.size()) break;
      TIPHYS_TRY(List nodes, action());
      out.push_back({Action{std::move(nodes)}});
    }
    return out;
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    const std::size_t column = std::min(at_, text_.size()) + 1;
    return fail(Code::kInvalidArgument, fmt::format("JSONPath \"{}\", column {}: {}", text_, column, what));
  }

  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(std::string_view word) {
    if (done() || !text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  /// Up to the closing brace, which is taken.
  Result<List> action() {
    List nodes;
    while (!take("}")) {
      TIPHYS_CHECK_OK(node(nodes));
    }
    return nodes;
  }

  Status node(List& nodes) {
    if (take("[?(")) return filter(nodes);
    if (take("..")) return descent(nodes);
    const char c = peek();
    if (done() || c == '\n' || c == '\r') return wrong("unclosed action");
    switch (c) {
      case ' ':
      case '@':
      case '$':  // not the root but the current value, within a range
        ++at_;
        return {};
      case '[':
        return brackets(nodes);
      case '"':
      case '\'':
        return quote(nodes);
      case '.':
        ++at_;
        field(nodes);
        return {};
      default:
        break;
    }
    if (c == '+' || c == '-' || is_digit(c)) return number(nodes);
    if (!is_name(c)) return wrong(fmt::format("unrecognized character in action: '{}'", c));
    const std::string_view word = until_terminator();
    if (word == "true" || word == "false") {
      nodes.push_back({Literal{word == "true"}});
    } else {
      nodes.push_back({Word{std::string(word)}});
    }
    return {};
  }

  static bool is_terminator(char c) { return std::string_view(" \t\r\n.,[]$@{}").find(c) != kNone; }

  std::string_view until_terminator() {
    const std::size_t start = at_;
    while (!done() && !is_terminator(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  void field(List& nodes) {
    const std::size_t start = at_;
    for (bool escaped = false; !done() && (escaped || !is_terminator(text_[at_])); ++at_) {
      escaped = !escaped && text_[at_] == '\\';
    }
    std::string name(text_.substr(start, at_ - start));
    if (name == "*") {
      nodes.push_back({Wildcard{}});
      return;
    }
    std::erase(name, '\\');
    nodes.push_back({Field{std::move(name)}});
  }

  Status descent(List& nodes) {
    if (!nodes.empty() && std::holds_alternative<Descent>(nodes.back().what)) {
      return wrong("invalid multiple recursive descent");
    }
    nodes.push_back({Descent{}});
    if (is_name(peek())) field(nodes);
    return {};
  }

  Status number(List& nodes) {
    const std::size_t start = at_++;
    while (is_digit(peek()) || peek() == '.') ++at_;
    const std::string_view text = text_.substr(start, at_ - start);
    if (const auto integer = parse_int(text)) {
      nodes.push_back({Literal{*integer}});
    } else if (const auto real = parse_float(text)) {
      nodes.push_back({Literal{*real}});
    } else {
      return wrong(fmt::format("cannot parse number {}", text));
    }
    return {};
  }

  Status quote(List& nodes) {
    const std::size_t start = at_;
    const char end = text_[at_++];
    while (!done() && text_[at_] != '\n' && !(text_[at_] == end && text_[at_ - 1] != '\\')) ++at_;
    if (peek() != end) return wrong("unterminated quoted string");
    ++at_;
    const std::string_view quoted = text_.substr(start, at_ - start);
    std::string text;
    if (!unquote(quoted, text)) return wrong(fmt::format("unquote string {}: invalid syntax", quoted));
    nodes.push_back({Text{std::move(text)}});
    return {};
  }

  /// The nodes of a text as of one between braces.
  Result<List> nested(std::string_view before, std::string_view text, std::string_view after) {
    if (nesting_ == kMaxNesting) return wrong("nested too deeply");
    const std::string whole = fmt::format("{{{}{}{}}}", before, text, after);
    TIPHYS_TRY(List all, Parser(whole, nesting_ + 1).parse());
    return std::move(std::get<Action>(all.front().what).nodes);
  }

  Status brackets(List& nodes) {
    const std::size_t start = at_ + 1;
    while (!done() && text_[at_] != '\n' && text_[at_] != ']') ++at_;
    if (peek() != ']') return wrong("unterminated array");
    std::string_view text = text_.substr(start, at_++ - start);
    if (text == "*") text = ":";
    if (text.find(',') != kNone) return list(nodes, text);
    const bool quoted = text.size() > 1 && text.front() == '\'' && text.find('\'', 1) == text.size() - 1;
    if (quoted) {
      TIPHYS_TRY(List names, nested(".", text.substr(1, text.size() - 2), ""));
      for (Node& name : names) nodes.push_back(std::move(name));
      return {};
    }
    return slice(nodes, text);
  }

  Status list(List& nodes, std::string_view text) {
    Union all;
    for (std::size_t end = 0; end != kNone; text.remove_prefix(end == kNone ? 0 : end + 1)) {
      end = text.find(',');
      std::string_view member = text.substr(0, end);
      while (member.starts_with(' ')) member.remove_prefix(1);
      while (member.ends_with(' ')) member.remove_suffix(1);
      TIPHYS_TRY(List some, nested("[", member, "]"));
      all.members.push_back(std::move(some));
    }
    nodes.push_back({std::move(all)});
    return {};
  }

  Status slice(List& nodes, std::string_view text) {
    const std::string_view whole = text;
    Slice slice;
    TIPHYS_TRY(slice.start, bound(text));
    slice.single = !text.starts_with(':');
    if (slice.single) {
      // What wraps around is as far out of bounds.
      slice.end.value = static_cast<std::int64_t>(static_cast<std::uint64_t>(slice.start.value) + 1);
      slice.end.known = true;
    } else {
      text.remove_prefix(1);
      TIPHYS_TRY(slice.end, bound(text));
    }
    if (text.starts_with(':')) {
      text.remove_prefix(1);
      TIPHYS_TRY(slice.step, bound(text));
    }
    if (!text.empty()) return wrong(fmt::format("invalid array index {}", whole));
    nodes.push_back({slice});
    return {};
  }

  /// Takes a number, if there is one, off the text.
  Result<Bound> bound(std::string_view& text) const {
    std::size_t size = text.starts_with('-') ? 1 : 0;
    while (size < text.size() && is_digit(text[size])) ++size;
    const std::string_view digits = text.substr(0, size);
    text.remove_prefix(size);
    if (digits.empty()) return Bound{};
    const auto value = parse_int(digits);
    if (!value) return wrong(fmt::format("array index {} is not a number", digits));
    return Bound{*value, true};
  }

  /// A quoted text may hold ")", but only one is known as such: the operands' quotes are looked at when they are
  /// parsed.
  Status filter(List& nodes) {
    const std::size_t start = at_;
    char pair = '\0';
    bool closed = false;
    for (;; ++at_) {
      const char c = peek();
      if (done() || c == '\n') return wrong("unterminated filter");
      if (c == ')' && (!pair || closed)) break;
      if (c != '"' && c != '\'') continue;
      if (!pair) {
        pair = c;
      } else if (c == pair && text_[at_ - 1] != '\\') {
        closed = true;
      }
    }
    const std::string_view text = text_.substr(start, at_ - start);
    ++at_;
    if (!take("]")) return wrong("unclosed array expect ]");
    Filter filter;
    if (const auto parts = comparison(text)) {
      TIPHYS_TRY(filter.left, nested("", parts->left, ""));
      TIPHYS_TRY(filter.right, nested("", parts->right, ""));
      filter.op = parts->op;
    } else {
      TIPHYS_TRY(filter.left, nested("", text, ""));
    }
    nodes.push_back({std::move(filter)});
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int nesting_;
};

}  // namespace

Result<List> parse(std::string_view text) {
  if (text.size() > kMaxText) return fail(Code::kInvalidArgument, "the JSONPath is longer than 8 KiB");
  return Parser(text, 0).parse();
}

}  // namespace tiphys::doc::jsonpath

#include <fmt/format.h>

#include <charconv>

#include "doc/jsonpath_syntax.h"

namespace tiphys::doc::jsonpath {
namespace {

constexpr int kMaxNesting = 16;
constexpr std::size_t kMaxText = 8192;  // also bounds how deep filters nest

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Piece>> parse() {
    if (text_.size() > kMaxText) return fail(Code::kInvalidArgument, "the JSONPath is longer than 8 KiB");
    TIPHYS_TRY(auto pieces, pieces_until_end(0));
    if (at_ < text_.size()) return wrong("{end} without {range}");
    return pieces;
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(Code::kInvalidArgument, fmt::format("JSONPath \"{}\", column {}: {}", text_, at_ + 1, what));
  }

  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool done() const { return at_ >= text_.size(); }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void skip_space() {
    while (!done() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
  }

  /// Stops behind the template, or at an {end}.
  Result<std::vector<Piece>> pieces_until_end(int nesting) {
    if (nesting > kMaxNesting) return wrong("ranges are nested too deeply");
    std::vector<Piece> pieces;
    while (!done()) {
      if (peek() != '{') {
        Piece& piece = pieces.emplace_back();
        while (!done() && peek() != '{') piece.text += text_[at_++];
        continue;
      }
      const std::size_t start = at_++;
      skip_space();
      if (word("end")) {
        at_ = start;
        return pieces;
      }
      TIPHYS_CHECK_OK(action(pieces, nesting));
    }
    return pieces;
  }

  bool word(std::string_view name) {
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(name)) return false;
    const char next = rest.size() > name.size() ? rest[name.size()] : '}';
    return next == ' ' || next == '}' || next == '\t';
  }

  /// What stands between braces, both the closing one and a range's {end} included.
  Status action(std::vector<Piece>& pieces, int nesting) {
    if (word("range")) {
      at_ += 5;
      Piece piece;
      piece.range = true;
      skip_space();
      TIPHYS_TRY(piece.path, path());
      TIPHYS_CHECK_OK(close("}"));
      TIPHYS_TRY(piece.body, pieces_until_end(nesting + 1));
      if (!take("{")) return wrong("{range} without {end}");
      skip_space();
      at_ += 3;
      pieces.push_back(std::move(piece));
      return close("}");
    }
    while (!done() && peek() != '}') {
      Piece& piece = pieces.emplace_back();
      if (peek() == '"' || peek() == '\'') {
        TIPHYS_TRY(piece.text, quoted());
      } else {
        TIPHYS_TRY(piece.path, path());
      }
      skip_space();
    }
    return close("}");
  }

  Status close(std::string_view bracket) {
    skip_space();
    if (take(bracket)) return {};
    return wrong(fmt::format("expected {}", bracket));
  }

  Result<std::string> quoted() {
    const char quote = text_[at_++];
    std::string out;
    while (!done() && peek() != quote) {
      char c = text_[at_++];
      if (c == '\\' && !done()) {
        c = text_[at_++];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      }
      out += c;
    }
    if (done()) return wrong("unclosed quote");
    ++at_;
    return out;
  }

  Result<Path> path() {
    Path steps;
    for (;;) {
      if (take("..")) {
        steps.push_back({Descent{}});
        if (field_starts()) {
          steps.push_back({field()});
        } else if (take("*")) {
          steps.push_back({Wildcard{}});
        }
      } else if (take("$") || take("@")) {
        if (text_[at_ - 1] == '$') steps.push_back({Root{}});
        had_start_ = true;
      } else if (take(".")) {
        had_start_ = true;
        if (take("*")) {
          steps.push_back({Wildcard{}});
        } else if (field_starts()) {
          steps.push_back({field()});
        }
      } else if (peek() == '[') {
        TIPHYS_TRY(Step step, subscript());
        steps.push_back(std::move(step));
      } else if (steps.empty() && !had_start_ && field_starts()) {
        steps.push_back({field()});
      } else {
        break;
      }
    }
    const bool nothing = steps.empty() && !had_start_;
    had_start_ = false;
    if (nothing) return wrong("expected a path");
    return steps;
  }

  bool field_starts() const {
    constexpr std::string_view kEnds = " \t\r\n.[](){}'\",=!<>*?@$";
    return !done() && kEnds.find(peek()) == std::string_view::npos;
  }

  Field field() {
    std::string name;
    while (field_starts()) {
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      name += text_[at_++];
    }
    return {std::move(name)};
  }

  Result<Step> subscript() {
    ++at_;
    skip_space();
    if (take("?(")) {
      TIPHYS_TRY(Filter condition, filter());
      TIPHYS_CHECK_OK(close(")"));
      TIPHYS_CHECK_OK(close("]"));
      return Step{std::move(condition)};
    }
    Union members;
    do {
      skip_space();
      TIPHYS_TRY(Step member, subscript_member());
      members.members.push_back(Path{std::move(member)});
      skip_space();
    } while (take(","));
    TIPHYS_CHECK_OK(close("]"));
    if (members.members.size() == 1) return std::move(members.members[0][0]);
    return Step{std::move(members)};
  }

  Result<Step> subscript_member() {
    if (take("*")) return Step{Wildcard{}};
    if (peek() == '\'' || peek() == '"') {
      TIPHYS_TRY(std::string name, quoted());
      return Step{Field{std::move(name)}};
    }
    if (peek() == '-' || peek() == ':' || (peek() >= '0' && peek() <= '9')) return slice();
    take(".");
    if (!field_starts()) return wrong("expected an index, a name, a slice or a filter");
    return Step{field()};
  }

  Result<Step> slice() {
    Slice slice;
    TIPHYS_TRY(slice.start, number());
    if (!take(":")) {
      slice.single = true;
      return Step{slice};
    }
    TIPHYS_TRY(slice.end, number());
    if (take(":")) {
      TIPHYS_TRY(const std::optional<int> step, number());
      slice.step = step.value_or(1);
      if (slice.step <= 0) return wrong("a slice's step must be positive");
    }
    return Step{slice};
  }

  Result<std::optional<int>> number() {
    std::size_t end = at_;
    if (end < text_.size() && text_[end] == '-') ++end;
    while (end < text_.size() && text_[end] >= '0' && text_[end] <= '9') ++end;
    if (end == at_) return std::nullopt;
    int value = 0;
    const auto [stop, error] = std::from_chars(text_.data() + at_, text_.data() + end, value);
    if (error != std::errc()) return wrong("expected a number");
    at_ = end;
    return value;
  }

  Result<Filter> filter() {
    Filter out;
    skip_space();
    TIPHYS_TRY(out.left, operand());
    skip_space();
    for (const std::string_view op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (!take(op)) continue;
      out.op = op;
      skip_space();
      TIPHYS_TRY(out.right, operand());
      break;
    }
    return out;
  }

  Result<Operand> operand() {
    Operand out;
    if (peek() == '\'' || peek() == '"') {
      TIPHYS_TRY(const std::string text, quoted());
      out.literal = boost::json::string(text);
      return out;
    }
    if (peek() == '@' || peek() == '.' || peek() == '$') {
      TIPHYS_TRY(out.path, path());
      return out;
    }
    const auto end = text_.find_first_of(" )=!<>", at_);
    const std::string_view literal = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
    const auto value = parse_json(literal);
    if (!value || !(value->is_number() || value->is_bool())) return wrong("expected @, a quoted text or a number");
    at_ += literal.size();
    out.literal = *value;
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool had_start_ = false;  ///< a path began with "$", "@" or "."
};

}  // namespace

Result<std::vector<Piece>> parse(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace tiphys::doc::jsonpath

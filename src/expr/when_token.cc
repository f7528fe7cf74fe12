#include "expr/when_token.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "expr/go_text.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

using Kind = WhenToken::Kind;

struct KindRule {
  Kind kind;
  std::string_view name;
  bool may_end;
  std::uint32_t next;  ///< bits of the kinds that may follow
};

template <typename... Kinds>
constexpr std::uint32_t set(Kinds... kinds) {
  return ((1u << static_cast<unsigned>(kinds)) | ...);
}

constexpr std::uint32_t kOperands = set(Kind::kNumeric, Kind::kBoolean, Kind::kVariable, Kind::kAccessor, Kind::kOpen);
constexpr std::uint32_t kAfterValue =
    set(Kind::kModifier, Kind::kComparator, Kind::kLogical, Kind::kClose, Kind::kTernary, Kind::kSeparator);
constexpr std::uint32_t kTexts = set(Kind::kString, Kind::kTime);

constexpr KindRule kRules[] = {
    {Kind::kStart, "UNKNOWN", false, kOperands | kTexts | set(Kind::kPrefix, Kind::kPattern)},
    {Kind::kOpen, "CLAUSE", false, kOperands | kTexts | set(Kind::kPrefix, Kind::kPattern, Kind::kClose)},
    {Kind::kClose, "CLAUSE_CLOSE", true,
     kAfterValue | kTexts | set(Kind::kNumeric, Kind::kBoolean, Kind::kVariable, Kind::kPattern, Kind::kOpen)},
    {Kind::kNumeric, "NUMERIC", true, kAfterValue},
    {Kind::kBoolean, "BOOLEAN", true, kAfterValue},
    {Kind::kString, "STRING", true, kAfterValue},
    {Kind::kVariable, "VARIABLE", true, kAfterValue},
    {Kind::kTime, "TIME", true, kAfterValue & ~set(Kind::kTernary)},
    {Kind::kPattern, "PATTERN", true, kAfterValue & ~set(Kind::kTernary)},
    {Kind::kModifier, "MODIFIER", false, kOperands | set(Kind::kPrefix, Kind::kString, Kind::kClose)},
    {Kind::kComparator, "COMPARATOR", false, kOperands | kTexts | set(Kind::kPrefix, Kind::kClose, Kind::kPattern)},
    {Kind::kLogical, "LOGICALOP", false, kOperands | kTexts | set(Kind::kPrefix, Kind::kClose)},
    {Kind::kPrefix, "PREFIX", false, kOperands | set(Kind::kClose)},
    {Kind::kTernary, "TERNARY", false, kOperands | kTexts | set(Kind::kPrefix, Kind::kSeparator)},
    {Kind::kAccessor, "ACCESSOR", true, kAfterValue | set(Kind::kOpen)},
    {Kind::kSeparator, "SEPARATOR", false, kOperands | kTexts | set(Kind::kPrefix)},
};

const KindRule& rule_of(Kind kind) {
  return *std::ranges::find(kRules, kind, &KindRule::kind);
}
bool may_follow(Kind before, Kind kind) {
  return (rule_of(before).next & set(kind)) != 0;
}

bool is_quote(char32_t c) {
  return c == '\'' || c == '"';
}
bool is_numeric(char32_t c) {
  return is_digit(c) || c == '.';
}
bool is_name(char32_t c) {
  return is_letter(c) || is_digit(c) || c == '_' || c == '.';
}
bool is_symbol(char32_t c) {
  return !is_letter(c) && !is_digit(c) && c != '(' && c != ')' && c != '[' && c != ']' && !is_quote(c);
}
bool is_hex(char32_t c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_in(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

std::unexpected<Error> invalid(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  /// False at the end of the text.
  Result<bool> next(Kind before, WhenToken& token) {
    while (at_ < text_.size() && is_space(peek().value)) at_ += peek().size;
    if (at_ == text_.size()) return false;
    const char32_t c = peek().value;
    if (is_numeric(c)) return read_number(token);
    if (c == ',') return single(Kind::kSeparator, ",", token);
    if (c == '(') return single(Kind::kOpen, "40", token);
    if (c == ')') return single(Kind::kClose, "41", token);
    if (c == '[') {
      ++at_;
      token.kind = Kind::kVariable;
      TIPHYS_TRY(token.text, read_enclosed([](char32_t d) { return d == ']'; }, "Unclosed parameter bracket"));
      token.value = token.text;
      return true;
    }
    if (is_letter(c)) return read_word(token);
    if (is_quote(c)) {
      ++at_;
      return read_string(token);
    }
    return read_symbol(before, token);
  }

 private:
  CodePoint peek() const { return code_point_at(text_, at_); }

  static Result<bool> done(Kind kind, std::string text, WhenToken& token) {
    token.kind = kind;
    token.text = std::move(text);
    return true;
  }
  Result<bool> single(Kind kind, std::string text, WhenToken& token) {
    ++at_;
    return done(kind, std::move(text), token);
  }

  /// The code points for which `condition` holds. A backslash takes the next one whatever it is; white space ends the
  /// token and is dropped.
  template <typename Condition>
  std::string read_while(Condition condition) {
    std::string token;
    while (at_ < text_.size()) {
      CodePoint c = peek();
      if (c.value == '\\' && at_ + 1 < text_.size()) {
        ++at_;
        c = peek();
      } else if (is_space(c.value)) {
        at_ += c.size;
        if (token.empty()) continue;
        break;
      } else if (!condition(c.value)) {
        break;
      }
      token += text_.substr(at_, c.size);
      at_ += c.size;
    }
    return token;
  }

  template <typename Closes>
  Result<std::string> read_enclosed(Closes closes, std::string_view unclosed) {
    std::string token;
    while (at_ < text_.size()) {
      CodePoint c = peek();
      if (c.value == '\\' && at_ + 1 < text_.size()) {
        ++at_;
        c = peek();
      } else if (closes(c.value)) {
        at_ += c.size;
        return token;
      }
      token += text_.substr(at_, c.size);
      at_ += c.size;
    }
    return invalid(std::string(unclosed));
  }

  Result<bool> read_number(WhenToken& token) {
    if (text_.substr(at_).starts_with("0x")) {
      at_ += 2;
      const std::string digits = read_while(is_hex);
      std::uint64_t number = 0;
      const char* const limit = digits.data() + digits.size();
      const auto [end, error] = std::from_chars(digits.data(), limit, number, 16);
      if (error != std::errc() || end != limit) {
        return invalid("Unable to parse hex value '" + digits + "' to uint64\n");
      }
      token.value = static_cast<double>(number);
    } else {
      const std::string digits = read_while(is_numeric);
      const auto number = parse_go_float(digits);
      if (!number) return invalid("Unable to parse numeric value '" + digits + "' to float64\n");
      token.value = *number;
    }
    return done(Kind::kNumeric, go_text(token.value), token);
  }

  Result<bool> read_word(WhenToken& token) {
    const std::string word = read_while(is_name);
    if (word == "true" || word == "false") {
      token.value = word == "true";
      return done(Kind::kBoolean, word, token);
    }
    if (word == "in" || word == "IN") return done(Kind::kComparator, "in", token);
    const auto dot = word.find('.');
    if (dot == std::string::npos || dot == 0) {
      token.value = word;
      return done(Kind::kVariable, word, token);
    }
    if (word.ends_with('.')) return invalid("Hanging accessor on token '" + word + "'");
    std::string shown = "[" + word.substr(0, dot);
    for (std::size_t begin = dot + 1; begin <= word.size();) {
      const std::size_t end = std::min(word.find('.', begin), word.size());
      const std::string field = word.substr(begin, end - begin);
      const char32_t first = field.empty() ? 0 : code_point_at(field, 0).value;
      if (to_upper(first) != first) {
        return invalid("Unable to access unexported field '" + field + "' in token '" + word + "'");
      }
      shown += " " + field;
      begin = end + 1;
    }
    token.value = word.substr(0, dot);
    return done(Kind::kAccessor, shown + "]", token);
  }

  Result<bool> read_string(WhenToken& token) {
    TIPHYS_TRY(std::string text, read_enclosed(is_quote, "Unclosed string literal"));
    if (const auto seconds = parse_when_time(text)) {
      token.value = *seconds;
      return done(Kind::kTime, std::move(text), token);
    }
    token.value = text;
    return done(Kind::kString, std::move(text), token);
  }

  Result<bool> read_symbol(Kind before, WhenToken& token) {
    const std::string symbol = read_while(is_symbol);
    // "-" is a prefix or a modifier by what stands before it.
    if (may_follow(before, Kind::kPrefix) && is_in(symbol, {"-", "!", "~"})) return done(Kind::kPrefix, symbol, token);
    if (is_in(symbol, {"+", "-", "*", "/", "%", "**", "&", "|", "^", ">>", "<<"})) {
      return done(Kind::kModifier, symbol, token);
    }
    if (is_in(symbol, {"&&", "||"})) return done(Kind::kLogical, symbol, token);
    if (is_in(symbol, {"==", "!=", ">", ">=", "<", "<=", "=~", "!~"})) return done(Kind::kComparator, symbol, token);
    if (is_in(symbol, {"?", ":", "??"})) return done(Kind::kTernary, symbol, token);
    return invalid("Invalid token: '" + symbol + "'");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string shown(const WhenToken& token) {
  return token.kind == Kind::kStart ? "<nil>" : token.text;
}

}  // namespace

Result<std::vector<WhenToken>> read_when_tokens(std::string_view text) {
  std::vector<WhenToken> tokens;
  Lexer lexer(text);
  int open = 0;
  for (Kind before = Kind::kStart;; before = tokens.back().kind) {
    WhenToken token;
    TIPHYS_TRY(const bool found, lexer.next(before, token));
    if (!found) break;
    if (token.kind == Kind::kOpen) ++open;
    if (token.kind == Kind::kClose) --open;
    tokens.push_back(std::move(token));
  }
  if (open != 0) return invalid("Unbalanced parenthesis");
  return tokens;
}

Status check_when_tokens(const std::vector<WhenToken>& tokens) {
  const WhenToken start;
  const WhenToken* before = &start;
  for (const WhenToken& token : tokens) {
    if (!may_follow(before->kind, token.kind)) {
      if (before->kind == Kind::kVariable && token.kind == Kind::kOpen) {
        return invalid("Undefined function " + before->text);
      }
      return invalid("Cannot transition token types from " + std::string(rule_of(before->kind).name) + " [" +
                     shown(*before) + "] to " + std::string(rule_of(token.kind).name) + " [" + shown(token) + "]");
    }
    before = &token;
  }
  if (!rule_of(before->kind).may_end) return invalid("Unexpected end of expression");
  return {};
}

Status compile_when_patterns(std::vector<WhenToken>& tokens) {
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    WhenToken& pattern = tokens[i + 1];
    const bool matches = tokens[i].kind == Kind::kComparator && is_in(tokens[i].text, {"=~", "!~"});
    if (!matches || pattern.kind != Kind::kString) continue;
    auto compiled = std::make_shared<const re2::RE2>(pattern.text, RE2::Quiet);
    if (!compiled->ok()) return invalid("error parsing regexp: " + compiled->error());
    pattern.kind = Kind::kPattern;
    pattern.pattern = std::move(compiled);
  }
  return {};
}

}  // namespace tiphys::expr

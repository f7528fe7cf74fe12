#include "expr/expr_token.h"

#include <algorithm>
#include <optional>

#include "expr/position.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

using Kind = ExprToken::Kind;

constexpr std::string_view kWordOperators[] = {"in",         "or",       "and", "not", "matches", "contains",
                                               "startsWith", "endsWith", "let", "if",  "else"};

bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}

int hex_digit(char c) {
  if (is_decimal(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<ExprToken>> read() {
    for (;;) {
      TIPHYS_CHECK_OK(skip_blank());
      begin_ = at_;
      if (at_ == text_.size()) {
        emit(Kind::kEnd, "");
        return std::move(tokens_);
      }
      TIPHYS_CHECK_OK(read_token());
    }
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void emit(Kind kind, std::string value) {
    tokens_.push_back({kind, static_cast<std::uint32_t>(begin_), std::move(value)});
  }
  void emit_taken(Kind kind) { emit(kind, std::string(text_.substr(begin_, at_ - begin_))); }

  Status error(std::string what, std::size_t offset) const {
    return fail(Code::kInvalidArgument, std::move(what) + caret(text_, offset));
  }

  /// White space and comments.
  Status skip_blank() {
    while (at_ < text_.size()) {
      const CodePoint c = code_point_at(text_, at_);
      if (is_space(c.value)) {
        at_ += c.size;
      } else if (text_.substr(at_).starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_.substr(at_).starts_with("/*")) {
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return error("unclosed comment", at_);
        at_ = end + 2;
      } else {
        break;
      }
    }
    return {};
  }

  Status read_token() {
    const char c = peek();
    if (c == '\'' || c == '"') return read_string(c, Kind::kString);
    if (c == 'b' && (peek(1) == '\'' || peek(1) == '"')) {
      ++at_;
      return read_string(peek(), Kind::kBytes);
    }
    if (c == '`') return read_raw_string();
    if (is_decimal(c) || (c == '.' && is_decimal(peek(1)))) return read_number();
    if (std::string_view("([{)]}").find(c) != std::string_view::npos) {
      ++at_;
      emit_taken(Kind::kBracket);
      return {};
    }
    if (c == '#') {
      ++at_;
      emit_taken(Kind::kOperator);
      return {};
    }
    const CodePoint first = code_point_at(text_, at_);
    if (is_expr_name(first.value)) {
      read_word();
      return {};
    }
    for (const std::string_view symbol : {"?.", "??", "||", "::", "..", "&&", "!=", "==", "**", "<=", ">="}) {
      if (!text_.substr(at_).starts_with(symbol)) continue;
      at_ += symbol.size();
      emit_taken(Kind::kOperator);
      return {};
    }
    if (std::string_view(",;%+-^?/|:.!=*<>").find(c) == std::string_view::npos) {
      return error("unrecognized character: '" + std::string(text_.substr(at_, first.size)) + "'", at_);
    }
    ++at_;
    emit_taken(Kind::kOperator);
    return {};
  }

  void read_word() {
    while (at_ < text_.size()) {
      const CodePoint c = code_point_at(text_, at_);
      if (!is_expr_name(c.value)) break;
      at_ += c.size;
    }
    const auto word = text_.substr(begin_, at_ - begin_);
    // After # stands the name of a variable, whatever it is.
    const bool pointer = !tokens_.empty() && tokens_.back().is_operator("#") && tokens_.back().offset + 1 == begin_;
    const bool is_operator = !pointer && std::ranges::find(kWordOperators, word) != std::end(kWordOperators);
    emit_taken(is_operator ? Kind::kOperator : Kind::kIdentifier);
  }

  void take_digits(std::string_view digits) {
    while (at_ < text_.size() && digits.find(text_[at_]) != std::string_view::npos) ++at_;
  }

  Status read_number() {
    std::string_view digits = "0123456789_";
    if (peek() == '0') {
      ++at_;
      const char base = static_cast<char>(peek() | 0x20);
      if (base == 'x') digits = "0123456789abcdefABCDEF_";
      if (base == 'o') digits = "01234567_";
      if (base == 'b') digits = "01_";
      if (base == 'x' || base == 'o' || base == 'b') ++at_;
    }
    take_digits(digits);
    // 1..3 is a range.
    if (peek() == '.' && peek(1) != '.') {
      ++at_;
      take_digits(digits);
    }
    if ((peek() | 0x20) == 'e' && at_ < text_.size()) {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      take_digits(digits);
    }
    if (at_ < text_.size() && is_expr_name(code_point_at(text_, at_).value)) {
      at_ += code_point_at(text_, at_).size;
      return error("bad number syntax: \"" + std::string(text_.substr(begin_, at_ - begin_)) + "\"", at_ - 1);
    }
    emit_taken(Kind::kNumber);
    return {};
  }

  Status read_string(char quote, Kind kind) {
    std::string value;
    ++at_;
    for (;;) {
      if (at_ == text_.size() || peek() == '\n') return error("literal not terminated", at_);
      const char c = peek();
      if (c == quote) break;
      if (c == '\\') {
        TIPHYS_CHECK_OK(read_escape(value, quote, kind));
      } else if (c == '\r') {
        value += '\n';
        ++at_;
      } else {
        const CodePoint point = code_point_at(text_, at_);
        append_utf8(point.value, value);
        at_ += point.size;
      }
    }
    ++at_;
    emit(kind, std::move(value));
    return {};
  }

  Status read_escape(std::string& value, char quote, Kind kind) {
    const std::size_t place = at_++;
    const char c = peek();
    ++at_;
    constexpr std::string_view kLetters = "abfnrtv\\";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
    if (const auto i = kLetters.find(c); c != '\0' && i != std::string_view::npos) {
      value += kMeanings[i];
      return {};
    }
    if (c == quote) {
      value += c;
      return {};
    }
    std::optional<char32_t> code;
    switch (c) {
      case 'x':
        code = number(16, 2);
        break;
      case 'u':
        if (kind == Kind::kBytes) break;
        code = peek() == '{' ? braced() : number(16, 4);
        break;
      case 'U':
        if (kind == Kind::kBytes) break;
        code = number(16, 8);
        break;
      case '0':
      case '1':
      case '2':
      case '3':
        --at_;
        code = number(8, 3);
        break;
      default:
        break;
    }
    if (!code || *code > 0x10FFFF) return error("invalid char escape", std::min(place + 1, text_.size()));
    if (kind == Kind::kBytes && *code <= 0xFF) {
      value += static_cast<char>(*code);
    } else {
      append_utf8(*code, value);
    }
    return {};
  }

  std::optional<char32_t> number(int base, int count) {
    char32_t value = 0;
    for (int i = 0; i < count; ++i) {
      const int digit = at_ < text_.size() ? hex_digit(peek()) : -1;
      if (digit < 0 || digit >= base) return std::nullopt;
      value = value * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
      ++at_;
    }
    return value;
  }

  std::optional<char32_t> braced() {
    const std::size_t close = text_.find('}', at_);
    if (close == std::string_view::npos || close == at_ + 1 || close > at_ + 7) return std::nullopt;
    ++at_;
    const auto value = number(16, static_cast<int>(close - at_));
    ++at_;
    return value;
  }

  /// A doubled quote inside stands for one.
  Status read_raw_string() {
    std::string value;
    ++at_;
    for (;;) {
      const std::size_t quote = text_.find('`', at_);
      if (quote == std::string_view::npos) return error("literal not terminated", text_.size());
      value += text_.substr(at_, quote - at_);
      at_ = quote + 1;
      if (peek() != '`') break;
      value += '`';
      ++at_;
    }
    emit(Kind::kString, std::move(value));
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  std::vector<ExprToken> tokens_;
};

}  // namespace

std::string ExprToken::describe() const {
  switch (kind) {
    case Kind::kEnd:
      return "EOF";
    case Kind::kIdentifier:
      return "Identifier(\"" + text + "\")";
    case Kind::kNumber:
      return "Number(\"" + text + "\")";
    case Kind::kString:
      return "String(\"" + text + "\")";
    case Kind::kBytes:
      return "Bytes(\"" + text + "\")";
    case Kind::kOperator:
      return "Operator(\"" + text + "\")";
    case Kind::kBracket:
      return "Bracket(\"" + text + "\")";
  }
  return "";
}

bool is_expr_name(char32_t c) {
  return c == '_' || c == '$' || is_letter(c) || is_digit(c);
}

Result<std::vector<ExprToken>> read_expr_tokens(std::string_view text) {
  return Lexer(text).read();
}

}  // namespace tiphys::expr

#include "expr/go_text.h"
#include "expr/json_path_syntax.h"
#include "expr/json_path_tokens.h"
#include "expr/unicode.h"

namespace tiphys::expr::json_path {
namespace {

using Kind = Step::Kind;

std::unexpected<Error> bad_format(std::string_view text) {
  return fail(Code::kInvalidArgument, "invalid token. '" + std::string(text) + "' does not match any token format");
}

/// An argument as it is written, or what stands between two.
struct Word {
  enum class Kind { kNothing, kInteger, kText, kColon, kComma };
  Kind kind = Kind::kNothing;
  std::int64_t integer = 0;
  std::string text{};

  bool is_key() const {
    const bool same = kind == Kind::kText && text.size() > 1 && text.front() == text.back();
    return same && (text[0] == '\'' || text[0] == '"');
  }
  bool is_script() const { return kind == Kind::kText && text.size() > 2 && text.front() == '(' && text.back() == ')'; }
  std::string inside() const { return text.substr(1, text.size() - 2); }
};

Word word_of(std::string text) {
  if (const auto integer = parse_go_int(text)) return {Word::Kind::kInteger, *integer};
  return {Word::Kind::kText, 0, std::move(text)};
}

/// Splits a subscript into words. Quotes may be escaped within quotes; a parenthesis makes a script up to the one that
/// closes it.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : text_(text) {}

  /// False when the words have no form that is known.
  bool read(std::vector<Word>& words) {
    words_ = &words;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      buffer_ += text_[i];
      if (!add(text_[i], i == 0)) return false;
    }
    if (!buffer_.empty()) words.push_back(word_of(std::move(buffer_)));
    return true;
  }

 private:
  bool plain() const { return quote_ == '\0' && open_ == closed_; }

  bool add(char c, bool first) {
    switch (c) {
      case ' ':
        if (plain()) buffer_ = std::string(trim_space(buffer_));
        return true;
      case '(':
        open_ += quote_ == '\0' ? 1 : 0;
        return true;
      case ')':
        return ++closed_ != open_ || end_word(&Word::is_script);
      case '\'':
      case '"':
        return add_quote(c);
      case ':':
      case ',':
        return !plain() || end_argument(c, first);
      default:
        return true;
    }
  }

  bool end_word(bool (Word::*has_form)() const) {
    Word word{Word::Kind::kText, 0, std::move(buffer_)};
    buffer_.clear();
    if (!(word.*has_form)()) return false;
    words_->push_back(std::move(word));
    return true;
  }

  bool add_quote(char c) {
    if ((quote_ != '\0' && quote_ != c) || open_ != closed_) return true;
    if (buffer_.size() > 1 && buffer_[buffer_.size() - 2] == '\\') {
      buffer_.erase(buffer_.size() - 2, 1);
      return true;
    }
    if (quote_ == c) {
      quote_ = '\0';
      return end_word(&Word::is_key);
    }
    quote_ = c;
    return buffer_.size() == 1;
  }

  bool end_argument(char c, bool first) {
    buffer_.pop_back();
    if (!buffer_.empty()) {
      Word word = word_of(std::move(buffer_));
      if (c == ':' && word.kind != Word::Kind::kInteger) return false;
      words_->push_back(std::move(word));
    } else if (c == ':' && first) {
      words_->emplace_back();
    }
    words_->push_back({c == ':' ? Word::Kind::kColon : Word::Kind::kComma});
    buffer_.clear();
    return true;
  }

  std::string_view text_;
  std::vector<Word>* words_ = nullptr;
  std::string buffer_;
  char quote_ = '\0';
  int open_ = 0;
  int closed_ = 0;
};

Result<Step> scripted(Kind kind, std::string_view text, Budget& budget) {
  Step step{kind};
  TIPHYS_TRY(step.script, compile_script(text, budget));
  return step;
}

Result<Argument> argument(const Word& word, bool range, std::string_view whole, Budget& budget) {
  if (word.is_script()) {
    TIPHYS_TRY(ScriptPtr script, compile_script(word.inside(), budget));
    return Argument(std::move(script));
  }
  if (word.kind == Word::Kind::kInteger) return Argument(word.integer);
  if (!range && word.is_key()) return Argument(word.inside());
  if (range && word.kind == Word::Kind::kNothing) return Argument();
  return bad_format(whole);
}

/// Several words: a union or a range.
Result<Step> parse_list(const std::vector<Word>& words, std::string_view whole, Budget& budget) {
  std::vector<Word> arguments;
  std::size_t colons = 0;
  std::size_t commas = 0;
  bool behind_colon = false;
  for (const Word& word : words) {
    const bool colon = word.kind == Word::Kind::kColon;
    if (colon && behind_colon) arguments.emplace_back();
    if (!colon && word.kind != Word::Kind::kComma) arguments.push_back(word);
    colons += colon ? 1 : 0;
    commas += word.kind == Word::Kind::kComma ? 1 : 0;
    behind_colon = colon;
  }
  const bool range = colons > 0;
  if (range == (commas > 0) || colons > 2 || (!range && commas >= arguments.size())) return bad_format(whole);
  if (range) arguments.resize(std::max<std::size_t>(arguments.size(), 2));
  Step step{range ? Kind::kRange : Kind::kUnion};
  for (const Word& word : arguments) {
    if (range && step.arguments.size() == 3) break;
    TIPHYS_TRY(Argument each, argument(word, range, whole, budget));
    step.arguments.push_back(std::move(each));
  }
  if (range) step.arguments.resize(3);
  return step;
}

Result<Step> parse_subscript(std::string_view whole, Budget& budget) {
  if (whole.size() < 2 || !whole.ends_with(']')) return bad_format(whole);
  const std::string_view text = trim_space(whole.substr(1, whole.size() - 2));
  if (text.empty()) return bad_format(whole);
  if (text == "*") return Step{Kind::kWildcard};
  if (text[0] == '?') {
    if (!text.starts_with("?(") || !text.ends_with(')')) return bad_format(whole);
    return scripted(Kind::kFilter, trim_space(text.substr(2, text.size() - 3)), budget);
  }
  std::vector<Word> words;
  if (!WordReader(text).read(words)) return bad_format(whole);
  if (words.size() != 1) return parse_list(words, whole, budget);
  const Word& word = words[0];
  if (word.is_key()) return Step{Kind::kKey, word.inside()};
  if (word.is_script()) return scripted(Kind::kScript, word.inside(), budget);
  if (word.kind == Word::Kind::kInteger) return Step{Kind::kIndex, {}, word.integer};
  return bad_format(whole);
}

Result<Step> parse_step(std::string_view text, Budget& budget) {
  text = trim_space(text);
  if (text.empty()) return fail(Code::kInvalidArgument, "invalid token. token string is empty");
  if (text[0] == '[') return parse_subscript(text, budget);
  if (text == "$") return Step{Kind::kRoot};
  if (text == "@") return Step{Kind::kCurrent};
  if (text == "*") return Step{Kind::kWildcard};
  if (text == "..") return Step{Kind::kRecursive};
  if (text == "length") return Step{Kind::kLength};
  return Step{Kind::kKey, std::string(text)};
}

}  // namespace

Result<Path> parse_path(std::string_view text, Budget& budget) {
  TIPHYS_TRY(const std::vector<std::string> parts, split_path(text));
  if (parts.size() > budget.steps) return fail(Code::kInvalidArgument, "the JSONPath has too many steps");
  budget.steps -= parts.size();
  Path path;
  for (const std::string& part : parts) {
    TIPHYS_TRY(Step step, parse_step(part, budget));
    path.push_back(std::move(step));
  }
  return path;
}

}  // namespace tiphys::expr::json_path

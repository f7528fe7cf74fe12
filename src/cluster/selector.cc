#include "cluster/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "base/whole_number.h"

namespace tiphys::cluster {
namespace {

using Op = Requirement::Op;

constexpr std::size_t kMostSelectorBytes = 64 * 1024;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// What Kubernetes lets stand in a label's name and value: at most 63 of [-A-Za-z0-9_.], a letter or digit at both
/// ends.
bool is_label_word(std::string_view text) {
  if (text.empty() || text.size() > 63) return false;
  if (!is_letter_or_digit(text.front()) || !is_letter_or_digit(text.back())) return false;
  return std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_label_prefix(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  return std::ranges::all_of(split(text, '.'), [](std::string_view part) {
    return is_label_word(part) && part.find('_') == part.npos &&
           std::ranges::none_of(part, [](char c) { return c >= 'A' && c <= 'Z'; });
  });
}

bool is_label_key(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return is_label_word(text);
  return is_label_prefix(text.substr(0, slash)) && is_label_word(text.substr(slash + 1));
}

bool is_label_value(std::string_view text) {
  return text.empty() || is_label_word(text);
}

struct Token {
  enum class Kind { kWord, kSymbol, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text;
  std::size_t at = 0;
};

class LabelParser {
 public:
  explicit LabelParser(std::string_view text) : text_(text) { advance(); }

  Result<std::vector<Requirement>> parse() {
    std::vector<Requirement> requirements;
    if (token_.kind == Token::Kind::kEnd) return requirements;
    while (true) {
      TIPHYS_TRY(auto requirement, parse_requirement());
      requirements.push_back(std::move(requirement));
      if (token_.kind == Token::Kind::kEnd) return requirements;
      if (!take(",")) return expected("\",\" or the end");
    }
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  static bool is_special(char c) { return std::string_view("=!(),<>").find(c) != std::string_view::npos; }

  void advance() {
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
    const std::size_t start = position_;
    if (start == text_.size()) {
      token_ = {Token::Kind::kEnd, {}, start};
      return;
    }
    if (is_special(text_[position_])) {
      const std::string_view two = text_.substr(position_, 2);
      position_ += two == "==" || two == "!=" ? 2 : 1;
      token_ = {Token::Kind::kSymbol, text_.substr(start, position_ - start), start};
      return;
    }
    while (position_ < text_.size() && !is_space(text_[position_]) && !is_special(text_[position_])) ++position_;
    token_ = {Token::Kind::kWord, text_.substr(start, position_ - start), start};
  }

  bool take(std::string_view symbol) {
    if (token_.kind != Token::Kind::kSymbol || token_.text != symbol) return false;
    advance();
    return true;
  }
  bool take_word(std::string_view word) {
    if (token_.kind != Token::Kind::kWord || token_.text != word) return false;
    advance();
    return true;
  }

  std::unexpected<Error> error_at(std::size_t at, std::string_view what) const {
    return fail(Code::kInvalidArgument, fmt::format("label selector \"{}\", column {}: {}", text_, at + 1, what));
  }
  std::unexpected<Error> expected(std::string_view what) const {
    const std::string found = token_.kind == Token::Kind::kEnd ? "the end" : fmt::format("\"{}\"", token_.text);
    return error_at(token_.at, fmt::format("expected {}, found {}", what, found));
  }

  Result<std::string> parse_key() {
    if (token_.kind != Token::Kind::kWord) return expected("a label's key");
    if (!is_label_key(token_.text)) {
      return error_at(token_.at,
                      fmt::format("\"{}\" is no valid label key ([prefix/]name, the name at most 63 letters, "
                                  "digits, '-', '_' or '.')",
                                  token_.text));
    }
    std::string key(token_.text);
    advance();
    return key;
  }

  /// A word, or nothing where an empty value may stand.
  Result<std::string> parse_value() {
    if (token_.kind != Token::Kind::kWord) return std::string();
    if (!is_label_value(token_.text)) {
      return error_at(token_.at, fmt::format("\"{}\" is no valid label value (at most 63 letters, digits, '-', '_' or "
                                             "'.', a letter or digit at both ends)",
                                             token_.text));
    }
    std::string value(token_.text);
    advance();
    return value;
  }

  Result<std::vector<std::string>> parse_set() {
    if (!take("(")) return expected("\"(\"");
    std::vector<std::string> values;
    do {
      TIPHYS_TRY(auto value, parse_value());
      values.push_back(std::move(value));
    } while (take(","));
    if (!take(")")) return expected("\",\" or \")\"");
    std::ranges::sort(values);
    return values;
  }

  Result<Requirement> parse_requirement() {
    Requirement requirement;
    if (take("!")) {
      TIPHYS_TRY(requirement.key, parse_key());
      requirement.op = Op::kNotExists;
      return requirement;
    }
    TIPHYS_TRY(requirement.key, parse_key());
    if (token_.kind == Token::Kind::kEnd || (token_.kind == Token::Kind::kSymbol && token_.text == ",")) {
      return requirement;
    }
    if (take_word("in")) return parse_set_requirement(std::move(requirement), Op::kIn);
    if (take_word("notin")) return parse_set_requirement(std::move(requirement), Op::kNotIn);
    if (take("=") || take("==")) {
      requirement.op = Op::kEquals;
    } else if (take("!=")) {
      requirement.op = Op::kNotEquals;
    } else if (take(">")) {
      requirement.op = Op::kGreater;
    } else if (take("<")) {
      requirement.op = Op::kLess;
    } else {
      return expected("one of =, ==, !=, in, notin, <, >");
    }
    const std::size_t at = token_.at;
    TIPHYS_TRY(auto value, parse_value());
    const bool numeric = requirement.op == Op::kGreater || requirement.op == Op::kLess;
    if (numeric && !whole_number(value)) return error_at(at, "\">\" and \"<\" compare with a whole number");
    requirement.values.push_back(std::move(value));
    return requirement;
  }

  Result<Requirement> parse_set_requirement(Requirement requirement, Op op) {
    requirement.op = op;
    TIPHYS_TRY(requirement.values, parse_set());
    return requirement;
  }

  std::string_view text_;
  std::size_t position_ = 0;
  Token token_;
};

/// Undoes the escapes of a field selector's value: `\\`, `\,` and `\=`.
Result<std::string> unescape_field_value(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      if (i + 1 == text.size() || std::string_view("\\,=").find(text[i + 1]) == std::string_view::npos) {
        return fail(Code::kInvalidArgument,
                    fmt::format("field selector: in \"{}\" a backslash stands before something else than '\\', ',' or "
                                "'='",
                                text));
      }
      ++i;
    } else if (text[i] == '=' || text[i] == ',') {
      return fail(Code::kInvalidArgument,
                  fmt::format("field selector: '{}' in \"{}\" needs a backslash before it", text[i], text));
    }
    value += text[i];
  }
  return value;
}

std::vector<std::string_view> split_field_terms(std::string_view text) {
  std::vector<std::string_view> terms;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ',') {
      terms.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  terms.push_back(text.substr(start));
  return terms;
}

Result<Requirement> parse_field_term(std::string_view term) {
  const std::size_t at = term.find('=');
  const bool negated = at != term.npos && at > 0 && term[at - 1] == '!';
  if (at == term.npos || at == (negated ? 1U : 0U)) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("field selector: \"{}\" is no requirement; write path=value, path==value or path!=value", term));
  }
  Requirement requirement;
  requirement.key = trim(term.substr(0, negated ? at - 1 : at));
  requirement.op = negated ? Op::kNotEquals : Op::kEquals;
  std::string_view rest = term.substr(at + 1);
  if (!negated && rest.starts_with('=')) rest.remove_prefix(1);
  TIPHYS_TRY(auto value, unescape_field_value(rest));
  requirement.values.push_back(std::move(value));
  return requirement;
}

bool holds(const Requirement& requirement, const std::optional<std::string_view>& value) {
  const auto contains = [&] {
    return value && std::ranges::find(requirement.values, *value) != requirement.values.end();
  };
  switch (requirement.op) {
    case Op::kEquals:
    case Op::kIn:
      return contains();
    case Op::kNotEquals:
    case Op::kNotIn:
      return !contains();
    case Op::kExists:
      return value.has_value();
    case Op::kNotExists:
      return !value.has_value();
    case Op::kGreater:
    case Op::kLess: {
      const auto number = value ? whole_number(*value) : std::nullopt;
      const auto bound = whole_number(requirement.values.front());
      if (!number || !bound) return false;
      return requirement.op == Op::kGreater ? *number > *bound : *number < *bound;
    }
  }
  return false;
}

/// The scalar at a dotted path as text; a missing field is "", as Kubernetes has it.
std::string text_at(const doc::Value& object, std::string_view path) {
  const doc::Value* value = &object;
  for (const std::string_view step : split(path, '.')) {
    value = doc::find(*value, step);
    if (!value) return "";
  }
  if (value->is_null()) return "";
  if (const auto* text = value->if_string()) return std::string(*text);
  return doc::scalar_text(*value);
}

std::string field_text(const doc::Value& object, std::string_view paths) {
  std::string text;
  for (const std::string_view path : split(paths, '|')) {
    text = text_at(object, path);
    if (!text.empty()) break;
  }
  return text;
}

}  // namespace

Result<Selector> Selector::parse(std::string_view text) {
  if (text.size() > kMostSelectorBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("label selector: {} bytes are more than {}", text.size(), kMostSelectorBytes));
  }
  TIPHYS_TRY(auto requirements, LabelParser(text).parse());
  Selector selector;
  selector.requirements_ = std::move(requirements);
  return selector;
}

Result<Selector> Selector::parse_fields(std::string_view text) {
  if (text.size() > kMostSelectorBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("field selector: {} bytes are more than {}", text.size(), kMostSelectorBytes));
  }
  Selector selector;
  for (const std::string_view term : split_field_terms(text)) {
    if (term.empty()) continue;
    TIPHYS_TRY(auto requirement, parse_field_term(term));
    selector.requirements_.push_back(std::move(requirement));
  }
  return selector;
}

Result<Selector> Selector::from_label_selector(const doc::Value& selector) {
  using Op = Requirement::Op;
  Selector made;
  if (const doc::Value* labels = doc::find(selector, "matchLabels"); labels && labels->is_object()) {
    for (const auto& [key, value] : labels->get_object()) {
      made.requirements_.push_back({std::string(key), Op::kEquals, {doc::scalar_text(value)}});
    }
  }
  const doc::Value* expressions = doc::find(selector, "matchExpressions");
  if (!expressions || !expressions->is_array()) return made;
  for (const doc::Value& expression : expressions->get_array()) {
    Requirement requirement{.key = std::string(doc::find_string(expression, "key")), .op = Op::kIn, .values = {}};
    const auto op = doc::find_string(expression, "operator");
    if (op == "NotIn") {
      requirement.op = Op::kNotIn;
    } else if (op == "Exists") {
      requirement.op = Op::kExists;
    } else if (op == "DoesNotExist") {
      requirement.op = Op::kNotExists;
    } else if (op != "In") {
      return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not a valid label selector operator", op));
    }
    if (const doc::Value* values = doc::find(expression, "values"); values && values->is_array()) {
      for (const doc::Value& value : values->get_array()) requirement.values.push_back(doc::scalar_text(value));
    }
    made.requirements_.push_back(std::move(requirement));
  }
  return made;
}

Selector Selector::renamed(const std::function<std::string_view(std::string_view)>& key_of) const {
  Selector made = *this;
  for (Requirement& one : made.requirements_) one.key = std::string(key_of(one.key));
  return made;
}

bool Selector::matches_labels(const doc::Value& object) const {
  if (requirements_.empty()) return true;
  const doc::Value* labels = doc::find(object, "metadata", "labels");
  return matches_label_map(labels);
}

bool Selector::matches_label_map(const doc::Value* labels) const {
  return std::ranges::all_of(requirements_, [&](const Requirement& requirement) {
    const doc::Value* label = labels ? doc::find(*labels, requirement.key) : nullptr;
    const auto* text = label ? label->if_string() : nullptr;
    return holds(requirement, text ? std::optional(std::string_view(*text)) : std::nullopt);
  });
}

bool Selector::matches_fields(const doc::Value& object) const {
  return std::ranges::all_of(requirements_, [&](const Requirement& requirement) {
    return holds(requirement, field_text(object, requirement.key));
  });
}

}  // namespace tiphys::cluster

#include <algorithm>
#include <vector>

#include "base/strings.h"
#include "expr/condition.h"
#include "expr/go_json.h"
#include "expr/go_text.h"

namespace tiphys::expr {
namespace {

constexpr std::size_t kLongest = 64 * 1024;
constexpr std::string_view kSpecial = "=!(),<>";
constexpr std::string_view kSpace = " \t\r\n";

struct Requirement {
  enum class Op { kIn, kNotIn, kExists, kNotExists, kGreater, kLess };
  std::string key;
  Op op = Op::kExists;
  std::vector<std::string> values;
};

std::unexpected<Error> invalid(const std::string& what) {
  return fail(Code::kInvalidArgument, "unable to parse requirement: " + what);
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// What labels' names and values are made of, except that a value may be empty.
bool is_name(std::string_view text) {
  constexpr std::size_t kLongestName = 63;
  const auto inside = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= kLongestName && is_alphanumeric(text.front()) &&
         is_alphanumeric(text.back()) && std::ranges::all_of(text, inside);
}

bool is_dns_label(std::string_view text) {
  const auto plain = [](char c) { return is_alphanumeric(c) && !(c >= 'A' && c <= 'Z'); };
  return !text.empty() && plain(text.front()) && plain(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return plain(c) || c == '-'; });
}

/// A name, with a domain and "/" before it or without.
bool is_key(std::string_view text) {
  constexpr std::size_t kLongestDomain = 253;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return is_name(text);
  const std::string_view domain = text.substr(0, slash);
  return domain.size() <= kLongestDomain && std::ranges::all_of(split(domain, '.'), is_dns_label) &&
         is_name(text.substr(slash + 1));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { advance(); }

  Result<std::vector<Requirement>> parse() {
    std::vector<Requirement> requirements;
    while (!token_.empty()) {
      TIPHYS_TRY(Requirement requirement, parse_requirement());
      for (const std::string& value : requirement.values) {
        if (!value.empty() && !is_name(value)) return no_value(requirement.key, value);
      }
      requirements.push_back(std::move(requirement));
      if (token_.empty()) break;
      if (token_ != ",") return found("',' or 'end of string'");
      advance();
      if (!is_identifier() && token_ != "!") return found("identifier after ','");
    }
    return requirements;
  }

 private:
  void advance() {
    const std::size_t begin = text_.find_first_not_of(kSpace, at_);
    if (begin == std::string_view::npos) {
      at_ = text_.size();
      token_ = {};
      return;
    }
    at_ = begin;
    if (kSpecial.find(text_[begin]) != std::string_view::npos) {
      const std::string_view two = text_.substr(begin, 2);
      at_ += two == "==" || two == "!=" ? 2 : 1;
    } else {
      at_ = std::min(text_.find_first_of("=!(),<> \t\r\n", begin), text_.size());
    }
    token_ = text_.substr(begin, at_ - begin);
  }
  bool is_identifier() const { return !token_.empty() && kSpecial.find(token_[0]) == std::string_view::npos; }
  std::unexpected<Error> found(std::string_view expected) const {
    return invalid("found '" + std::string(token_) + "', expected: " + std::string(expected));
  }

  /// What is not an ordinary label is no path either: "#", "*", brackets and escapes are not for conditions.
  static std::unexpected<Error> no_key(const std::string& key) {
    return invalid("Invalid value: " + go_quote(key) +
                   ": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
                   "an alphanumeric character; at most 63 of them");
  }
  static std::unexpected<Error> no_value(const std::string& key, const std::string& value) {
    return invalid(
        "values[0][" + key + "]: Invalid value: " + go_quote(value) +
        ": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
        "must start and end with an alphanumeric character; at most 63 of them. Values take no quotes");
  }

  Result<Requirement> parse_requirement() {
    Requirement requirement;
    const bool absent = token_ == "!";
    if (absent) advance();
    if (!is_identifier()) return found("identifier");
    requirement.key = token_;
    if (!is_key(requirement.key)) return no_key(requirement.key);
    advance();
    if (absent) {
      requirement.op = Requirement::Op::kNotExists;
      return requirement;
    }
    if (token_.empty() || token_ == ",") return requirement;
    const std::string_view op = token_;
    if (op == "in" || op == "notin") {
      requirement.op = op == "in" ? Requirement::Op::kIn : Requirement::Op::kNotIn;
      advance();
      TIPHYS_TRY(requirement.values, parse_values());
      return requirement;
    }
    if (op == "=" || op == "==") {
      requirement.op = Requirement::Op::kIn;
    } else if (op == "!=") {
      requirement.op = Requirement::Op::kNotIn;
    } else if (op == ">" || op == "<") {
      requirement.op = op == ">" ? Requirement::Op::kGreater : Requirement::Op::kLess;
    } else {
      return found("in, notin, =, ==, !=, >, <");
    }
    advance();
    std::string value;
    if (is_identifier()) {
      value = token_;
      advance();
    } else if (!token_.empty() && token_ != ",") {
      return found("identifier");
    }
    if ((op == ">" || op == "<") && !parse_go_int(value)) {
      return invalid("values[0][" + requirement.key + "]: Invalid value: \"" + value +
                     "\": for 'Gt', 'Lt' operators, the value must be an integer");
    }
    requirement.values.push_back(std::move(value));
    return requirement;
  }

  Result<std::vector<std::string>> parse_values() {
    std::vector<std::string> values;
    if (token_ != "(") return found("'('");
    advance();
    for (;;) {
      std::string value;
      if (is_identifier()) {
        value = token_;
        advance();
      }
      values.push_back(std::move(value));
      const bool more = token_ == ",";
      if (!more && token_ != ")") return found("',', ')' or identifier");
      advance();
      if (!more) return values;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view token_;
};

/// What gjson finds at a path, in which a valid key leaves nothing special but dots; nullptr when there is nothing.
const doc::Value* find_path(const doc::Value& root, std::string_view path) {
  const doc::Value* value = &root;
  for (const std::string_view part : split(path, '.')) {
    if (const auto* object = value->if_object()) {
      value = object->if_contains(part);
    } else if (const auto* array = value->if_array()) {
      const bool digits = std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
      const auto index = digits ? parse_go_int(part) : std::nullopt;
      const bool inside = index && static_cast<std::uint64_t>(*index) < array->size();
      value = inside ? &(*array)[static_cast<std::size_t>(*index)] : nullptr;
    } else {
      value = nullptr;
    }
    if (!value) return nullptr;
  }
  return value;
}

/// As gjson's Result.String.
std::string text_of(const doc::Value& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_double()) return go_fixed_text(value.get_double());
  std::string text;
  append_go_json(value, text);
  return text;
}

bool matches(const Requirement& requirement, const doc::Value& object) {
  const doc::Value* value = find_path(object, requirement.key);
  const auto listed = [&] {
    return std::ranges::find(requirement.values, text_of(*value)) != requirement.values.end();
  };
  switch (requirement.op) {
    case Requirement::Op::kIn:
      return value && listed();
    case Requirement::Op::kNotIn:
      return !value || !listed();
    case Requirement::Op::kExists:
      return value != nullptr;
    case Requirement::Op::kNotExists:
      return !value;
    default:
      break;
  }
  const auto number = value ? parse_go_int(text_of(*value)) : std::nullopt;
  if (!number) return false;
  const std::int64_t limit = *parse_go_int(requirement.values[0]);
  return requirement.op == Requirement::Op::kGreater ? *number > limit : *number < limit;
}

}  // namespace

Result<bool> eval_resource_condition(std::string_view text, const doc::Value& object, Join join) {
  if (text.size() > kLongest) return invalid("it is longer than 64 KiB");
  TIPHYS_TRY(const std::vector<Requirement> requirements, Parser(text).parse());
  const auto holds = [&](const Requirement& requirement) { return matches(requirement, object); };
  return join == Join::kAll ? std::ranges::all_of(requirements, holds) : std::ranges::any_of(requirements, holds);
}

}  // namespace tiphys::expr

#include <algorithm>
#include <vector>

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

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { advance(); }

  Result<std::vector<Requirement>> parse() {
    std::vector<Requirement> requirements;
    while (!token_.empty()) {
      TIPHYS_TRY(Requirement requirement, parse_requirement());
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

  Result<Requirement> parse_requirement() {
    Requirement requirement;
    const bool absent = token_ == "!";
    if (absent) advance();
    if (!is_identifier()) return found("identifier");
    requirement.key = token_;
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

/// The next part of a path, without its escapes; `path` loses it and the dot after it.
std::string take_part(std::string_view& path) {
  std::string part;
  std::size_t i = 0;
  for (; i < path.size() && path[i] != '.'; ++i) {
    if (path[i] == '\\' && i + 1 < path.size()) ++i;
    part += path[i];
  }
  path.remove_prefix(std::min(i + 1, path.size()));
  return part;
}

/// What gjson finds at a path; nullopt when there is nothing.
std::optional<doc::Value> find_path(const doc::Value& root, std::string_view path) {
  const doc::Value* value = &root;
  while (!path.empty()) {
    const std::string part = take_part(path);
    if (const auto* object = value->if_object()) {
      value = object->if_contains(part);
    } else if (const auto* array = value->if_array()) {
      if (part == "#") {
        if (path.empty()) return doc::Value(static_cast<std::int64_t>(array->size()));
        doc::Array found;
        for (const doc::Value& element : *array) {
          if (auto below = find_path(element, path)) found.push_back(std::move(*below));
        }
        return doc::Value(std::move(found));
      }
      const auto index = parse_go_int(part);
      const bool inside = index && *index >= 0 && static_cast<std::uint64_t>(*index) < array->size();
      value = inside ? &(*array)[static_cast<std::size_t>(*index)] : nullptr;
    } else {
      value = nullptr;
    }
    if (!value) return std::nullopt;
  }
  return *value;
}

/// As gjson's Result.String.
std::string text_of(const doc::Value& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return std::string(value.get_string());
  std::string text;
  append_go_json(value, text);
  return text;
}

bool matches(const Requirement& requirement, const doc::Value& object) {
  const auto value = find_path(object, requirement.key);
  const auto listed = [&] {
    return std::ranges::find(requirement.values, text_of(*value)) != requirement.values.end();
  };
  switch (requirement.op) {
    case Requirement::Op::kIn:
      return value && listed();
    case Requirement::Op::kNotIn:
      return !value || !listed();
    case Requirement::Op::kExists:
      return value.has_value();
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

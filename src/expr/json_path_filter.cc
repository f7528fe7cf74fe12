// The expressions inside [?( )].
#include <re2/re2.h>

#include <cmath>

#include "expr/go_json.h"
#include "expr/go_text.h"
#include "expr/json_path.h"
#include "expr/operators.h"
#include "expr/unicode.h"

namespace tiphys::expr::json_path {

struct Filter {
  std::string_view op;  ///< "" for a value: a path when `steps` is set, else a literal
  std::vector<std::shared_ptr<const Filter>> operands;
  doc::Value literal;
  bool from_root = false;
  std::optional<Path> steps;
};

namespace {

using Parsed = Result<std::shared_ptr<const Filter>>;

constexpr int kDeepest = 50;

struct Level {
  std::string_view operators[8];
};
/// By rising precedence.
constexpr Level kLevels[] = {
    {{"||"}},           {{"&&"}}, {{"==", "!=", "<=", ">=", "=~", "<", ">"}}, {{"+", "-"}}, {{"**", "*", "/", "%"}},
    {{"not in", "in"}},
};

class Parser {
 public:
  Parser(std::string_view text, int depth) : text_(text), path_depth_(depth) {}

  Parsed parse() {
    TIPHYS_TRY(auto filter, parse_level(0, 0));
    skip_space();
    if (at_ != text_.size()) return unexpected();
    return filter;
  }

 private:
  Parsed unexpected() const {
    return fail(Code::kInvalidArgument,
                "unexpected '" + std::string(text_.substr(at_, 1)) + "' in the filter '" + std::string(text_) + "'");
  }
  void skip_space() {
    while (at_ < text_.size() && is_space(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  std::string_view accept(const Level& level) {
    skip_space();
    for (const std::string_view op : level.operators) {
      if (op.empty() || !text_.substr(at_).starts_with(op)) continue;
      at_ += op.size();
      return op;
    }
    return {};
  }

  Parsed parse_level(std::size_t level, int depth) {
    if (level == std::size(kLevels)) return parse_operand(depth);
    TIPHYS_TRY(auto left, parse_level(level + 1, depth));
    int chain = 0;
    for (auto op = accept(kLevels[level]); !op.empty(); op = accept(kLevels[level])) {
      if (++chain > kDeepest) return fail(Code::kInvalidArgument, "the filter has too many operators");
      TIPHYS_TRY(auto right, parse_level(level + 1, depth));
      auto both = std::make_shared<Filter>();
      both->op = op;
      both->operands = {std::move(left), std::move(right)};
      left = std::move(both);
    }
    return left;
  }

  Parsed parse_operand(int depth) {
    if (depth > kDeepest) return fail(Code::kInvalidArgument, "the filter is nested too deeply");
    skip_space();
    if (at_ == text_.size()) return unexpected();
    const char c = text_[at_];
    auto filter = std::make_shared<Filter>();
    if (c == '!') {
      ++at_;
      TIPHYS_TRY(auto operand, parse_operand(depth + 1));
      filter->op = "!";
      filter->operands = {std::move(operand)};
      return filter;
    }
    if (c == '(') {
      ++at_;
      TIPHYS_TRY(auto inner, parse_level(0, depth + 1));
      skip_space();
      if (!text_.substr(at_).starts_with(')')) return unexpected();
      ++at_;
      return inner;
    }
    if (c == '@' || c == '$') {
      const std::size_t length = path_length(text_.substr(at_));
      filter->from_root = c == '$';
      TIPHYS_TRY(filter->steps, parse_steps(trim_space(text_.substr(at_ + 1, length - 1)), path_depth_ + 1));
      at_ += length;
      return filter;
    }
    TIPHYS_TRY(filter->literal, parse_literal());
    return filter;
  }

  Result<doc::Value> parse_literal() {
    const char c = text_[at_];
    if (c == '\'' || c == '"' || c == '/') {
      std::string value;
      for (++at_; at_ < text_.size() && text_[at_] != c; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == c) ++at_;
        value += text_[at_];
      }
      if (at_ == text_.size()) return fail(Code::kInvalidArgument, "a text in the filter is not closed");
      ++at_;
      return doc::Value(value);
    }
    if (c == '[') return parse_list();
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n=!<>&|()+*/%,]~", at_ + 1), text_.size());
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    if (word == "true" || word == "false") return doc::Value(word == "true");
    if (const auto number = parse_go_float(word)) return doc::Value(*number);
    if (word == "null" || word == "nil") return doc::Value(nullptr);
    return doc::Value(word);
  }

  Result<doc::Value> parse_list() {
    doc::Array list;
    ++at_;
    for (;;) {
      skip_space();
      if (text_.substr(at_).starts_with(']')) break;
      if (at_ == text_.size()) return fail(Code::kInvalidArgument, "a list in the filter is not closed");
      if (text_[at_] == '[') return fail(Code::kInvalidArgument, "lists within lists are not supported in filters");
      TIPHYS_TRY(doc::Value element, parse_literal());
      list.push_back(std::move(element));
      skip_space();
      if (text_.substr(at_).starts_with(',')) ++at_;
    }
    ++at_;
    return doc::Value(std::move(list));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int path_depth_;
};

bool truth(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return false;
    case boost::json::kind::bool_:
      return value.get_bool();
    case boost::json::kind::string:
      return !value.get_string().empty();
    case boost::json::kind::array:
      return !value.get_array().empty();
    case boost::json::kind::object:
      return !value.get_object().empty();
    default:
      return to_double(value) != 0;
  }
}

Result<doc::Value> evaluate(const Filter& filter, Query& query, const doc::Value& element);

Result<doc::Value> calculate(std::string_view op, const doc::Value& left, const doc::Value& right) {
  if (!is_number(left) || !is_number(right)) return fail(Code::kInvalidArgument, "expected numbers");
  const double a = to_double(left);
  const double b = to_double(right);
  if (op == "+") return doc::Value(a + b);
  if (op == "-") return doc::Value(a - b);
  if (op == "*") return doc::Value(a * b);
  if (op == "/") return doc::Value(a / b);
  if (op == "%") return doc::Value(std::fmod(a, b));
  if (op == "**") return doc::Value(std::pow(a, b));
  if (op == "<") return doc::Value(a < b);
  if (op == "<=") return doc::Value(a <= b);
  if (op == ">") return doc::Value(a > b);
  return doc::Value(a >= b);
}

Result<doc::Value> evaluate_both(std::string_view op, const doc::Value& left, const doc::Value& right) {
  if (op == "==" || op == "!=") return doc::Value(values_equal(left, right) == (op == "=="));
  if (op == "in" || op == "not in") {
    TIPHYS_TRY(const doc::Value in, apply_binary(Op::kIn, left, right));
    return doc::Value(in.get_bool() == (op == "in"));
  }
  if (op != "=~") return calculate(op, left, right);
  if (!right.is_string()) return fail(Code::kInvalidArgument, "expected a regular expression");
  const RE2 pattern(std::string(right.get_string()), RE2::Quiet);
  if (!pattern.ok()) return fail(Code::kInvalidArgument, "expected a regular expression");
  return doc::Value(RE2::PartialMatch(go_text(left), pattern));
}

Result<doc::Value> evaluate(const Filter& filter, Query& query, const doc::Value& element) {
  if (filter.steps) {
    const auto& steps = *filter.steps;
    return query.apply(filter.from_root ? query.root : element, steps.data(), steps.data() + steps.size());
  }
  if (filter.op.empty()) return filter.literal;
  auto left = evaluate(*filter.operands[0], query, element);
  if (filter.op == "!") return doc::Value(!(left && truth(*left)));
  if (filter.op == "&&" || filter.op == "||") {
    const bool first = left && truth(*left);
    if (first == (filter.op == "||")) return doc::Value(first);
    auto right = evaluate(*filter.operands[1], query, element);
    return doc::Value(right && truth(*right));
  }
  if (!left) return left;
  TIPHYS_TRY(const doc::Value right, evaluate(*filter.operands[1], query, element));
  return evaluate_both(filter.op, *left, right);
}

}  // namespace

Result<std::shared_ptr<const Filter>> parse_filter(std::string_view text, int depth) {
  return Parser(text, depth).parse();
}

bool holds(const Filter& filter, Query& query, const doc::Value& element) {
  const auto result = evaluate(filter, query, element);
  return result && truth(*result);
}

}  // namespace tiphys::expr::json_path

#include <re2/re2.h>

#include <cmath>
#include <deque>

#include "expr/condition.h"
#include "expr/go_math.h"
#include "expr/go_text.h"
#include "expr/when_token.h"

namespace tiphys::expr {
namespace {

using Kind = WhenToken::Kind;

constexpr std::size_t kLongest = 1024 * 1024;
constexpr int kDeepest = 200;

/// An operator and its operands, or a value without operator.
struct Stage {
  std::string_view symbol;  ///< "" for a value, "(" for parentheses, "prefix" operators have no left side
  Kind kind = Kind::kStart;
  const Stage* left = nullptr;
  const Stage* right = nullptr;
  const WhenToken* token = nullptr;
};

/// Operators by rising precedence; all of them group from the left.
struct Level {
  Kind kind;
  std::string_view symbols;  ///< between spaces
};
constexpr Level kLevels[] = {
    {Kind::kSeparator, " , "},
    {Kind::kTernary, " ? : ?? "},
    {Kind::kLogical, " || "},
    {Kind::kLogical, " && "},
    {Kind::kComparator, " == != > >= < <= =~ !~ in "},
    {Kind::kModifier, " ^ & | "},
    {Kind::kModifier, " >> << "},
    {Kind::kModifier, " + - "},
    {Kind::kModifier, " * / % "},
    {Kind::kModifier, " ** "},
};
constexpr std::size_t kValueLevel = std::size(kLevels);

class Planner {
 public:
  explicit Planner(const std::vector<WhenToken>& tokens) : tokens_(tokens) {}

  /// Null when there is nothing to evaluate. What follows a complete expression is not looked at, as in govaluate.
  Result<const Stage*> plan(std::size_t level = 0, int depth = 0) {
    if (level == kValueLevel) return plan_value(depth);
    TIPHYS_TRY(const Stage* left, plan(level + 1, depth));
    while (at_ < tokens_.size() && is_of(kLevels[level], tokens_[at_])) {
      const WhenToken& token = tokens_[at_++];
      TIPHYS_TRY(const Stage* right, plan(level + 1, depth));
      if (++chain_ > kLongestChain) return fail(Code::kInvalidArgument, "the expression has too many operators");
      left = &stages_.emplace_back(Stage{token.text, token.kind, left, right, &token});
    }
    return left;
  }

 private:
  static constexpr int kLongestChain = 2000;  // evaluation descends once for each

  static bool is_of(const Level& level, const WhenToken& token) {
    return token.kind == level.kind && level.symbols.find(" " + token.text + " ") != std::string_view::npos;
  }

  Result<const Stage*> plan_value(int depth) {
    if (depth > kDeepest) return fail(Code::kInvalidArgument, "the expression is nested too deeply");
    if (at_ == tokens_.size()) return nullptr;
    const WhenToken& token = tokens_[at_++];
    switch (token.kind) {
      case Kind::kOpen: {
        TIPHYS_TRY(const Stage* inner, plan(0, depth + 1));
        ++at_;  // The parentheses are balanced.
        return &stages_.emplace_back(Stage{"(", Kind::kOpen, nullptr, inner, &token});
      }
      case Kind::kClose:
        --at_;
        return nullptr;
      case Kind::kPrefix: {
        TIPHYS_TRY(const Stage* operand, plan_value(depth + 1));
        return &stages_.emplace_back(Stage{token.text, Kind::kPrefix, nullptr, operand, &token});
      }
      case Kind::kNumeric:
      case Kind::kBoolean:
      case Kind::kString:
      case Kind::kPattern:
      case Kind::kTime:
      case Kind::kAccessor:
      case Kind::kVariable:
        return &stages_.emplace_back(Stage{"", token.kind, nullptr, nullptr, &token});
      default:
        return fail(Code::kInvalidArgument, "Unable to plan token kind: value: '" + token.text + "'");
    }
  }

  const std::vector<WhenToken>& tokens_;
  std::size_t at_ = 0;
  int chain_ = 0;
  std::deque<Stage> stages_;
};

Result<doc::Value> evaluate(const Stage* stage);

/// Go's conversion of a float to an uint64 on amd64.
std::uint64_t to_unsigned(double number) {
  const bool large = number >= 9223372036854775808.0 && number < 18446744073709551616.0;
  return large ? static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(truncate_to_int(number));
}

/// Of the operators that work on two numbers.
double calculate(std::string_view symbol, double left, double right) {
  const auto bits = [](double number) { return static_cast<std::uint64_t>(truncate_to_int(number)); };
  const auto number = [](std::uint64_t value) { return static_cast<double>(static_cast<std::int64_t>(value)); };
  if (symbol == "-") return left - right;
  if (symbol == "*") return left * right;
  if (symbol == "/") return left / right;
  if (symbol == "%") return std::fmod(left, right);
  if (symbol == "**") return go_pow(left, right);
  if (symbol == "&") return number(bits(left) & bits(right));
  if (symbol == "|") return number(bits(left) | bits(right));
  if (symbol == "^") return number(bits(left) ^ bits(right));
  const std::uint64_t shifted = to_unsigned(left);
  const std::uint64_t count = to_unsigned(right);
  if (count > 63) return 0;
  return static_cast<double>(symbol == "<<" ? shifted << count : shifted >> count);
}

std::unexpected<Error> unusable(const doc::Value& value, const Stage& stage) {
  std::string text = "Value '" + go_text(value) + "' cannot be used with the ";
  const std::string symbol = "'" + std::string(stage.symbol) + "'";
  switch (stage.kind) {
    case Kind::kLogical:
      text += "logical operator " + symbol + ", it is not a bool";
      break;
    case Kind::kModifier:
      text += "modifier " + symbol + ", it is not a number";
      break;
    case Kind::kTernary:
      text += "ternary operator " + symbol + ", it is not a bool";
      break;
    case Kind::kPrefix:
      text += "prefix " + symbol;
      break;
    default:
      text += "comparator " + symbol + ", it is not a number";
  }
  return fail(Code::kInvalidArgument, std::move(text));
}

Result<doc::Value> compare(const Stage& stage, const doc::Value& left, const doc::Value& right) {
  int order = 0;
  if (left.is_double() && right.is_double()) {
    const double a = left.get_double();
    const double b = right.get_double();
    if (std::isnan(a) || std::isnan(b)) return doc::Value(false);
    order = a < b ? -1 : a > b ? 1 : 0;
  } else if (left.is_string() && right.is_string()) {
    order = left.get_string().compare(right.get_string());
  } else {
    return unusable(left, stage);
  }
  if (stage.symbol == "<") return doc::Value(order < 0);
  if (stage.symbol == "<=") return doc::Value(order <= 0);
  if (stage.symbol == ">") return doc::Value(order > 0);
  return doc::Value(order >= 0);
}

Result<doc::Value> match(const Stage& stage, const doc::Value& left, const doc::Value& right) {
  if (!left.is_string()) return unusable(left, stage);
  if (!right.is_string()) return unusable(right, stage);
  std::shared_ptr<const re2::RE2> pattern = stage.right->token->pattern;
  if (!pattern) {
    pattern = std::make_shared<const re2::RE2>(std::string(right.get_string()), RE2::Quiet);
    if (!pattern->ok()) {
      return fail(Code::kInvalidArgument, "Unable to compile regexp pattern '" + go_text(right) +
                                              "': error parsing regexp: " + pattern->error());
    }
  }
  const bool matched = RE2::PartialMatch(std::string_view(left.get_string()), *pattern);
  return doc::Value(matched == (stage.symbol == "=~"));
}

Result<doc::Value> calculate(const Stage& stage, const doc::Value& left, const doc::Value& right) {
  const bool numbers = left.is_double() && right.is_double();
  if (stage.symbol == "+") {
    if (left.is_string() || right.is_string()) return doc::Value(go_text(left) + go_text(right));
    if (!numbers) return unusable(left, stage);
    return doc::Value(left.get_double() + right.get_double());
  }
  if (!numbers) return unusable(left.is_double() ? right : left, stage);
  return doc::Value(calculate(stage.symbol, left.get_double(), right.get_double()));
}

Result<doc::Value> evaluate_logical(const Stage& stage, const doc::Value& left) {
  const bool decides = stage.symbol == "||";
  if (left.is_bool() && left.get_bool() == decides) return left;
  TIPHYS_TRY(doc::Value right, evaluate(stage.right));
  if (!left.is_bool()) return unusable(left, stage);
  if (!right.is_bool()) return unusable(right, stage);
  return right;
}

Result<doc::Value> evaluate_ternary(const Stage& stage, const doc::Value& left) {
  if (stage.symbol != "?") return left.is_null() ? evaluate(stage.right) : Result<doc::Value>(left);
  if (left.is_bool() && !left.get_bool()) return doc::Value(nullptr);
  TIPHYS_TRY(doc::Value right, evaluate(stage.right));
  if (!left.is_bool()) return unusable(left, stage);
  return right;
}

Result<doc::Value> evaluate_prefix(const Stage& stage, const doc::Value& operand) {
  if (stage.symbol == "!") {
    if (!operand.is_bool()) return unusable(operand, stage);
    return doc::Value(!operand.get_bool());
  }
  if (!operand.is_double()) return unusable(operand, stage);
  if (stage.symbol == "-") return doc::Value(-operand.get_double());
  return doc::Value(static_cast<double>(~truncate_to_int(operand.get_double())));
}

Result<doc::Value> evaluate_comparator(const Stage& stage, const doc::Value& left, const doc::Value& right) {
  if (stage.symbol == "==") return doc::Value(left == right);
  if (stage.symbol == "!=") return doc::Value(left != right);
  if (stage.symbol == "=~" || stage.symbol == "!~") return match(stage, left, right);
  if (stage.symbol != "in") return compare(stage, left, right);
  if (!right.is_array()) return unusable(right, stage);
  for (const doc::Value& element : right.get_array()) {
    if (element == left) return doc::Value(true);
  }
  return doc::Value(false);
}

Result<doc::Value> evaluate(const Stage* stage) {
  if (!stage) return doc::Value(nullptr);
  if (stage->symbol.empty()) {
    if (stage->kind == Kind::kAccessor || stage->kind == Kind::kVariable) {
      return fail(Code::kInvalidArgument, "No parameter '" + go_text(stage->token->value) + "' found.");
    }
    return stage->token->value;
  }
  if (stage->kind == Kind::kOpen) return evaluate(stage->right);
  TIPHYS_TRY(doc::Value left, evaluate(stage->left));
  if (stage->kind == Kind::kLogical) return evaluate_logical(*stage, left);
  if (stage->kind == Kind::kTernary) return evaluate_ternary(*stage, left);
  TIPHYS_TRY(doc::Value right, evaluate(stage->right));
  switch (stage->kind) {
    case Kind::kPrefix:
      return evaluate_prefix(*stage, right);
    case Kind::kComparator:
      return evaluate_comparator(*stage, left, right);
    case Kind::kModifier:
      return calculate(*stage, left, right);
    default:
      if (!left.is_array()) return doc::Value(doc::Array{std::move(left), std::move(right)});
      left.get_array().push_back(std::move(right));
      return left;
  }
}

std::unexpected<Error> failed(std::string_view what, std::string_view text, const Error& error) {
  const bool bad_token = error.message.find("Invalid token") != std::string::npos;
  return fail(Code::kInvalidArgument,
              std::string(what) + " '" + std::string(text) + "': " + error.message +
                  (bad_token ? " (hint: try wrapping the affected expression in quotes (\"))" : ""));
}

/// The tokens of a text that is well formed as it stands, its patterns compiled.
Result<std::vector<WhenToken>> parse(std::string_view text) {
  if (text.size() > kLongest) return fail(Code::kInvalidArgument, "the expression is longer than 1 MiB");
  TIPHYS_TRY(std::vector<WhenToken> tokens, read_when_tokens(text));
  TIPHYS_CHECK_OK(check_when_tokens(tokens));
  TIPHYS_CHECK_OK(compile_when_patterns(tokens));
  return tokens;
}

}  // namespace

Result<bool> eval_when(std::string_view text, WhenWords words) {
  if (text.empty()) return true;
  auto tokens = parse(text);
  if (!tokens) return failed("Invalid 'when' expression", text, tokens.error());

  if (words == WhenWords::kStrings) {
    for (WhenToken& token : *tokens) {
      if (token.kind == Kind::kVariable) token.kind = Kind::kString;
    }
    // Strings may not stand everywhere where variables may.
    Status checked = check_when_tokens(*tokens);
    if (checked) checked = compile_when_patterns(*tokens);
    if (!checked) return failed("Failed to parse 'when' expression", text, checked.error());
  }
  Planner planner(*tokens);
  const auto stage = planner.plan();
  if (!stage) return failed("Failed to parse 'when' expression", text, stage.error());

  const auto result = evaluate(*stage);
  // The misspelt word is the original's.
  if (!result) return failed("Failed to evaluate 'when' expresion", text, result.error());
  if (!result->is_bool()) {
    return fail(Code::kInvalidArgument,
                "Expected boolean evaluation for '" + std::string(text) + "'. Got " + go_text(*result));
  }
  return result->get_bool();
}

}  // namespace tiphys::expr

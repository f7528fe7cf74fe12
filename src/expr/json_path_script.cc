#include <array>

#include "expr/go_json.h"
#include "expr/json_path_syntax.h"
#include "expr/unicode.h"

namespace tiphys::expr::json_path {
namespace {

/// In the order in which a text is searched for them. What stood in parentheses is first searched for the first, which
/// is everywhere.
constexpr std::array<std::string_view, 21> kOperators = {
    "",  "||", "&&", "==", "!=", "<=", ">=",     "<",  ">", "=~", "!",
    "+", "-",  "**", "*",  "/",  "%",  "not in", "in", "@", "$"};
constexpr std::size_t kFirst = 1;

/// The first place of an operator outside of quotes and brackets.
std::size_t find_operator(std::string_view text, std::string_view op) {
  char quote = '\0';
  int round = 0;
  int square = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '(' || c == ')') && quote == '\0' && square <= 0) {
      round += c == '(' ? 1 : -1;
    } else if ((c == '[' || c == ']') && quote == '\0' && round <= 0) {
      square += c == '[' ? 1 : -1;
    } else if ((c == '\'' || c == '"') && square <= 0 && round <= 0) {
      if (quote == '\0') {
        quote = c;
      } else if (quote == c) {
        quote = '\0';
      }
    }
    if (quote != '\0' || round > 0 || square > 0 || op.size() > i + 1) continue;
    const std::size_t start = i + 1 - op.size();
    if (text.substr(start, op.size()) == op) return start;
  }
  return std::string_view::npos;
}

class Compiler {
 public:
  explicit Compiler(Budget& budget) : budget_(budget) {}

  /// The operation that a text is, from the operator at `op` on; nullptr when it is none.
  Result<OperationPtr> build(std::string_view text, std::size_t op) {
    for (;; ++op) {
      if (op == kOperators.size()) return OperationPtr();
      const std::string_view name = kOperators[op];
      text = trim_space(text);
      if (text.empty()) return OperationPtr();
      TIPHYS_CHECK_OK(spend(text.size()));
      if (text.size() > 1 && text.front() == '(' && text.back() == ')') {
        text = trim_space(text.substr(1, text.size() - 2));
        op = 0;
      }
      const std::size_t at = find_operator(text, name);
      if (at == std::string_view::npos) continue;
      const bool path = name == "@" || name == "$";
      const std::string_view right = trim_space(text.substr(at + name.size()));
      const std::string_view left = trim_space(text.substr(0, at));
      if (right.empty() && !path) continue;
      Operation made{name};
      TIPHYS_TRY(made.right, operand(right, op));
      if (left.empty() && !path && name != "!") continue;
      TIPHYS_TRY(made.left, operand(left, op));
      const bool has_left = !std::holds_alternative<std::monostate>(made.left);
      if (has_left && (path || name == "!")) continue;
      if (name.empty()) return fail(Code::kInvalidArgument, "unsupported operator in '" + std::string(text) + "'");
      if (path) {
        made = {"@"};
        TIPHYS_TRY(made.path, parse_path(text, budget_));
      }
      return std::make_shared<const Operation>(std::move(made));
    }
  }

 private:
  Status spend(std::size_t characters) {
    if (characters > budget_.characters) return fail(Code::kInvalidArgument, "the JSONPath is too complex");
    budget_.characters -= characters;
    return {};
  }

  Result<Operand> operand(std::string_view text, std::size_t op) {
    if (budget_.depth == 0) return fail(Code::kInvalidArgument, "the JSONPath is nested too deeply");
    --budget_.depth;
    auto operation = build(text, op);
    ++budget_.depth;
    if (!operation) return std::unexpected(operation.error());
    if (*operation) return Operand(std::move(*operation));
    if (text.empty()) return Operand();
    const bool list = text.starts_with('[') && text.ends_with(']');
    const bool object = text.starts_with('{') && text.ends_with('}');
    if (list || object) {
      if (auto value = parse_go_json(text)) return Operand(std::move(*value));
    }
    return Operand(std::string(text));
  }

  Budget& budget_;
};

}  // namespace

Result<ScriptPtr> compile_script(std::string_view text, Budget& budget) {
  if (budget.depth == 0) return fail(Code::kInvalidArgument, "the JSONPath is nested too deeply");
  --budget.depth;
  auto operation = Compiler(budget).build(text, kFirst);
  ++budget.depth;
  if (!operation) return std::unexpected(operation.error());
  return std::make_shared<const Script>(Script{std::string(text), std::move(*operation)});
}

}  // namespace tiphys::expr::json_path

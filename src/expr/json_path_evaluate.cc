// The operators of scripts.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "expr/go_json.h"
#include "expr/go_math.h"
#include "expr/go_text.h"
#include "expr/json_path_query.h"
#include "expr/operators.h"

namespace tiphys::expr::json_path {
namespace {

std::unexpected<Error> invalid(std::string_view what) {
  return fail(Code::kInvalidArgument, "invalid argument. " + std::string(what));
}

bool is_quoted(std::string_view text, char quote) {
  return text.size() > 1 && text.front() == quote && text.back() == quote;
}
std::string unquoted(std::string_view text, char quote) {
  return std::string(is_quoted(text, quote) ? text.substr(1, text.size() - 2) : text);
}
std::string in_quotes(std::string_view text) {
  return is_quoted(text, '\'') ? std::string(text) : "'" + std::string(text) + "'";
}

std::optional<bool> parse_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "FALSE", "false", "False"};
  if (std::ranges::find(kTrue, text) != kTrue.end()) return true;
  if (std::ranges::find(kFalse, text) != kFalse.end()) return false;
  return std::nullopt;
}

/// A number and an integer of the same value differ, as values of two types do in Go.
bool same_type_and_value(const doc::Value& a, const doc::Value& b) {
  return a.kind() == b.kind() && !a.is_structured() && values_equal(a, b);
}

}  // namespace

class Evaluation {
 public:
  Evaluation(Query& query, Place place) : query_(query), place_(place) {}

  Result<doc::Value> of(const Script& script) {
    if (script.text.empty()) return invalid("the expression is empty");
    if (script.operation) return of(*script.operation);
    if (const doc::Value* value = parameter(script.text)) return query_.copy(*value);
    if (const auto number = parse_go_float(script.text)) return doc::Value(*number);
    if (const auto boolean = parse_bool(script.text)) return doc::Value(*boolean);
    return doc::Value(script.text);
  }

 private:
  /// What a bare word stands for; nullptr for itself.
  const doc::Value* parameter(std::string_view word) const {
    static const doc::Value null;
    if (word == "$") return &place_.root;
    if (word == "@") return &place_.current;
    return word == "nil" || word == "null" ? &null : nullptr;
  }

  Result<doc::Value> of(const Operation& operation) {
    TIPHYS_CHECK_OK(query_.spend(1));
    const std::string_view name = operation.name;
    if (name == "@") return find(operation.path);
    if (name == "!") return negate(operation);
    if (name == "&&" || name == "||") return join(operation);
    if (name == "==" || name == "!=") return equal(operation);
    if (name == "=~") return match(operation);
    if (name == "in" || name == "not in") return contained(operation);
    if (name == "%") return remainder(operation);
    return calculate(operation);
  }

  /// Strings get quotes, by which they are told from words.
  Result<doc::Value> find(const Path& path) {
    TIPHYS_TRY(doc::Value found, query_.apply(place_, path.data(), path.data() + path.size()));
    if (found.is_string()) found = in_quotes(found.get_string());
    return found;
  }

  Result<doc::Value> value(const Operand& operand) {
    if (const auto* operation = std::get_if<OperationPtr>(&operand)) return of(**operation);
    if (const auto* literal = std::get_if<doc::Value>(&operand)) return query_.copy(*literal);
    if (const auto* text = std::get_if<std::string>(&operand)) return doc::Value(*text);
    return invalid("is nil");
  }

  /// The same, and what it stands for when it is a word.
  Result<doc::Value> argument(const Operand& operand) {
    TIPHYS_TRY(doc::Value found, value(operand));
    const auto* text = found.if_string();
    const doc::Value* known = text ? parameter(*text) : nullptr;
    if (known) return query_.copy(*known);
    return found;
  }

  Result<double> number(const Operand& operand) {
    TIPHYS_TRY(const doc::Value found, argument(operand));
    const auto number = parse_go_float(go_text(found));
    if (!number) return invalid("expected number");
    return *number;
  }

  Result<std::int64_t> integer(const Operand& operand) {
    TIPHYS_TRY(const doc::Value found, argument(operand));
    const auto number = parse_go_int(go_text(found));
    if (!number) return invalid("expected integer");
    return *number;
  }

  Result<bool> boolean(const Operand& operand) {
    if (std::holds_alternative<std::monostate>(operand)) return false;
    TIPHYS_TRY(const doc::Value found, argument(operand));
    if (found.is_null()) return false;
    const auto boolean = parse_bool(go_text(found));
    if (!boolean) return invalid("expected boolean");
    return *boolean;
  }

  /// Strings of the document in single quotes, words as they are.
  Result<std::string> text(const Operand& operand) {
    TIPHYS_TRY(const doc::Value found, value(operand));
    if (!found.is_string()) return go_text(found);
    const std::string_view word = found.get_string();
    const doc::Value* known = parameter(word);
    if (!known) return is_quoted(word, '"') ? "'" + unquoted(word, '"') + "'" : std::string(word);
    if (!known->is_string()) return go_text(*known);
    const std::string_view string = known->get_string();
    return is_quoted(string, '\'') ? std::string(string) : "'" + unquoted(string, '"') + "'";
  }

  Result<doc::Value> negate(const Operation& operation) {
    TIPHYS_TRY(const bool right, boolean(operation.right));
    return doc::Value(!right);
  }

  /// Both sides must be booleans, whatever the first is.
  Result<doc::Value> join(const Operation& operation) {
    TIPHYS_TRY(const bool left, boolean(operation.left));
    TIPHYS_TRY(const bool right, boolean(operation.right));
    return doc::Value(operation.name == "&&" ? left && right : left || right);
  }

  Result<doc::Value> equal(const Operation& operation) {
    const bool wanted = operation.name == "==";
    const auto left = number(operation.left);
    if (!left && Query::ends(left.error())) return std::unexpected(left.error());
    if (left) {
      const auto right = number(operation.right);
      if (!right && Query::ends(right.error())) return std::unexpected(right.error());
      if (right) return doc::Value((*left == *right) == wanted);
    }
    TIPHYS_TRY(const std::string first, text(operation.left));
    TIPHYS_TRY(const std::string second, text(operation.right));
    return doc::Value((first == second) == wanted);
  }

  Result<doc::Value> match(const Operation& operation) {
    TIPHYS_TRY(const std::string subject, text(operation.left));
    TIPHYS_TRY(const std::string pattern, text(operation.right));
    std::unique_ptr<RE2>& compiled = query_.patterns_[unquoted(pattern, '\'')];
    if (!compiled) {
      TIPHYS_CHECK_OK(query_.spend(1000));
      compiled = std::make_unique<RE2>(unquoted(pattern, '\''), RE2::Quiet);
    }
    if (!compiled->ok()) return invalid("expected a valid regexp");
    TIPHYS_CHECK_OK(query_.spend(subject.size() / 100));
    return doc::Value(RE2::PartialMatch(unquoted(subject, '\''), *compiled));
  }

  Result<doc::Value> contained(const Operation& operation) {
    std::optional<doc::Value> item;
    if (const auto left = number(operation.left)) {
      item = *left;
    } else if (Query::ends(left.error())) {
      return std::unexpected(left.error());
    } else if (const auto word = text(operation.left)) {
      item = *word;
    }
    TIPHYS_TRY(doc::Value list, argument(operation.right));
    const std::string_view json = list.is_string() ? std::string_view(list.get_string()) : "";
    const bool written =
        (json.starts_with('[') && json.ends_with(']')) || (json.starts_with('{') && json.ends_with('}'));
    if (written) {
      TIPHYS_TRY(list, parse_go_json(std::string(json)));
    }
    bool found = false;
    const auto look = [&](const doc::Value& element) {
      found = found || (item && same_type_and_value(element, *item));
    };
    if (const auto* array = list.if_array()) {
      std::ranges::for_each(*array, look);
    } else if (const auto* object = list.if_object()) {
      for (const auto& member : *object) look(member.value());
    } else {
      return invalid("expected array, map, or slice");
    }
    return doc::Value(found == (operation.name == "in"));
  }

  /// Nothing catches a division by zero before the query ends.
  Result<doc::Value> remainder(const Operation& operation) {
    TIPHYS_TRY(const std::int64_t left, integer(operation.left));
    TIPHYS_TRY(const std::int64_t right, integer(operation.right));
    if (right == 0) return fail(Code::kResourceExhausted, "integer divide by zero");
    return doc::Value(right == -1 ? 0 : left % right);
  }

  Result<doc::Value> calculate(const Operation& operation) {
    TIPHYS_TRY(const double left, number(operation.left));
    TIPHYS_TRY(const double right, number(operation.right));
    const std::string_view name = operation.name;
    if (name == "+") return doc::Value(left + right);
    if (name == "-") return doc::Value(left - right);
    if (name == "*") return doc::Value(left * right);
    if (name == "/") return doc::Value(left / right);
    if (name == "**") return doc::Value(go_pow(left, right));
    if (name == "<") return doc::Value(left < right);
    if (name == "<=") return doc::Value(left <= right);
    if (name == ">") return doc::Value(left > right);
    return doc::Value(left >= right);
  }

  Query& query_;
  Place place_;
};

Result<doc::Value> Query::evaluate(const Script& script, Place place) {
  TIPHYS_CHECK_OK(spend(1));
  return Evaluation(*this, place).of(script);
}

}  // namespace tiphys::expr::json_path

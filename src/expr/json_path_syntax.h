// The parsed form of a JSONPath and of the scripts within it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "doc/value.h"

namespace tiphys::expr::json_path {

struct Script;
struct Operation;
using ScriptPtr = std::shared_ptr<const Script>;
using OperationPtr = std::shared_ptr<const Operation>;

/// Of a union or range: a place, a key or what computes one; nothing for an end of a range that is left out.
using Argument = std::variant<std::monostate, std::int64_t, std::string, ScriptPtr>;

struct Step {
  enum class Kind { kRoot, kCurrent, kKey, kIndex, kRange, kUnion, kWildcard, kRecursive, kLength, kFilter, kScript };
  Kind kind = Kind::kKey;
  std::string key{};
  std::int64_t index = 0;
  std::vector<Argument> arguments{};  ///< of a range: start, end, step
  ScriptPtr script{};
};
using Path = std::vector<Step>;

/// Nothing, the text as it stands, a list or object written as JSON, or what another operation gives.
using Operand = std::variant<std::monostate, std::string, doc::Value, OperationPtr>;

struct Operation {
  std::string_view name;  ///< "&&", "=~", ...; "@" for a path, which begins with @ or $
  Operand left{}, right{};
  Path path{};
};

/// What stands between the parentheses of a filter or script.
struct Script {
  std::string text;
  OperationPtr operation;  ///< nullptr for a text without operators
};

/// What compiling may still cost: characters looked at, steps, and scripts within scripts.
struct Budget {
  std::size_t characters = 20'000'000;
  std::size_t steps = 1000;
  int depth = 250;
};

Result<Path> parse_path(std::string_view text, Budget& budget);
Result<ScriptPtr> compile_script(std::string_view text, Budget& budget);

}  // namespace tiphys::expr::json_path

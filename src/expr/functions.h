// The functions that expressions can call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "doc/value.h"
#include "expr/held.h"
#include "expr/static_type.h"

namespace tiphys::expr {

using Arguments = std::span<const doc::Value* const>;

struct Ambient;

struct Function {
  static constexpr std::size_t kAny = 1000;

  std::string_view name;
  std::size_t least;  ///< arguments
  std::size_t most;
  Result<doc::Value> (*call)(Arguments);
  StaticKind result = StaticKind::kUnknown;
  /// Of an evaluation, beside the call's own: for what takes its time, such as keys.
  std::uint32_t steps = 0;
  /// In place of `call`: what needs clock or chance.
  Result<doc::Value> (*call_with)(Arguments, const Ambient&) = nullptr;
  /// Of a function of one argument: puts the result in the argument's place, or is false and leaves it to `call`.
  bool (*in_place)(Held& argument) = nullptr;
};

/// expr-lang's own functions without predicates, and asInt, asFloat, jsonpath, toJson; nullptr when there is none.
const Function* find_function(std::string_view name);
/// By the name after `sprig.`; nullptr when it is not provided.
const Function* find_sprig_function(std::string_view name);
/// That `sprig.NAME` does not exist.
std::string explain_sprig_function(std::string_view name);
/// The nearest function, as did_you_mean.
std::string suggest_function(std::string_view name);

}  // namespace tiphys::expr

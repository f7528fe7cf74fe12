// The methods that values of Go's types have in expressions.
#pragma once

#include <span>
#include <string_view>

#include "expr/functions.h"
#include "expr/go_value.h"
#include "expr/static_type.h"

namespace tiphys::expr {

struct Method {
  GoKind kind;
  StaticKind result;
  std::string_view name;
  std::size_t arguments;
  Result<doc::Value> (*call)(const doc::Value& value, Arguments arguments);
};

std::span<const Method> version_methods();

}  // namespace tiphys::expr

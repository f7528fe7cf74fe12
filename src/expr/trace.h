// How an evaluation tells what it does.
#pragma once

#include <functional>
#include <string_view>

#include "doc/value.h"

namespace tiphys::expr {

/// Called for each part of an expression or template once its value is known: inner parts first, those in predicates
/// once for each element.
using Trace = std::function<void(std::string_view part, const doc::Value& value)>;

}  // namespace tiphys::expr

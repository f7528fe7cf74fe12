// Interpreters of Python that are kept: a step of Python is a fork of one that has imported what steps want, in place
// of a new one. docs/python.md tells users of it.
//
// The parts: python_command (which commands a fork runs alike), python_zygotes (the supervisor keeps interpreters),
// init/python_fork (an init asks one for a step's process), zygote.py (what the interpreter does).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tiphys::node {

struct WarmPython {
  std::string interpreter{};           ///< its path, here and in the step; "": none
  std::string edition{};               ///< tells it from what was or will be at this path
  std::vector<std::string> modules{};  ///< that it has imported, beside some of the standard library
  std::vector<std::string> folders{};  ///< of this host that it sees as steps do, beside the system's

  bool operator==(const WarmPython&) const = default;
};

/// Modules, by a flag or an annotation: "numpy,hera.workflows", or "true" for the standard ones alone; nullopt for ""
/// and "false".
Result<std::optional<std::vector<std::string>>> parse_warm_python(std::string_view text);

}  // namespace tiphys::node

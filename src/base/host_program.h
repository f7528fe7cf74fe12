// Programs of this host.
#pragma once

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tiphys {

struct HostProgram {
  std::vector<std::string> arguments;  ///< the program first, looked up in PATH
  std::string folder{};                ///< where it runs; "": here
  /// Beside the plane's own variables, of which those that begin with one of `without` are left out.
  std::vector<std::pair<std::string, std::string>> environment{};
  std::vector<std::string> without{};
  bool own_errors = false;  ///< its standard error is this process's, and no part of what it gives
};

/// What it has printed, to standard output and, unless own_errors, to standard error: its last 64 KiB. Blocking. An
/// error has the lines that it ended with; kFailedPrecondition when there is no such program. A stop kills it and what
/// it has started.
Result<std::string> run_program(const HostProgram& program, const std::stop_token& stop);

}  // namespace tiphys

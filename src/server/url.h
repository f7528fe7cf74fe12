// Request targets: paths and queries.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tiphys::server {

/// A target taken apart: "/api/v1/pods?limit=3".
struct Target {
  std::vector<std::string> path;  ///< decoded segments, no empty ones
  std::vector<std::pair<std::string, std::string>> query;

  static Result<Target> parse(std::string_view text);
  /// The value of a query parameter; "" when absent.
  std::string_view value(std::string_view name) const;
  bool has(std::string_view name) const;
  /// As Kubernetes reads them: there, and neither "false" nor "0".
  bool flag(std::string_view name) const;
};

}  // namespace tiphys::server

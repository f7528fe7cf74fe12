// Which method of Argo's API a request by REST asks for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "argo/methods.h"
#include "base/error.h"

namespace tiphys::server {

struct RestRoute {
  const argo::Method* method = nullptr;
  const argo::Route* route = nullptr;
  /// The fields that the path has, with their values.
  std::vector<std::pair<std::string_view, std::string>> captured{};
};

/// `path` as it came, with its escapes. nullopt: it is none of Argo's. kUnimplemented: it is, but nothing answers there
/// to this verb, which the original says so; kInvalidArgument: a broken escape, a part that is none of a name.
std::optional<Result<RestRoute>> find_rest_route(std::string_view verb, std::string_view path);

/// True of a request's target below what is Argo's alone in Kubernetes' /api/v1.
bool is_of_argo(std::string_view target);

}  // namespace tiphys::server

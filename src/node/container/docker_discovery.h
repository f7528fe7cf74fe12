// Where a container engine may listen on this host.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tiphys::node {

struct EngineCandidate {
  std::string socket;  ///< path of a unix socket
  std::string origin;  ///< for messages: "DOCKER_HOST", "--engine", ...
  /// The user named it: when it does not answer, nothing else is tried.
  bool binding = false;
};

using GetEnv = std::function<std::optional<std::string>(const char*)>;

/// The sockets to try, in order: the flag, DOCKER_HOST or CONTAINER_HOST, then the usual places. kInvalidArgument for
/// an address that is no unix socket.
Result<std::vector<EngineCandidate>> engine_candidates(std::string_view flag, const GetEnv& get_env);

/// What a user can do when no engine answers. `tried` says why each did not.
Error no_engine_error(const std::vector<std::string>& tried);

/// The path of a program on PATH, or "".
std::string find_program(std::string_view name, const GetEnv& get_env);

}  // namespace tiphys::node

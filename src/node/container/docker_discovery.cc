#include "node/container/docker_discovery.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/strings.h"

namespace tiphys::node {

Result<std::vector<EngineCandidate>> engine_candidates(std::string_view flag, const GetEnv& get_env) {
  const auto named = [](std::string_view address, std::string_view origin) -> Result<std::vector<EngineCandidate>> {
    constexpr std::string_view kScheme = "unix://";
    std::string_view path = address;
    if (path.starts_with(kScheme)) path.remove_prefix(kScheme.size());
    if (!path.starts_with('/')) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{} is \"{}\"; a container engine can be reached by a unix socket only, such as "
                              "unix:///var/run/docker.sock",
                              origin, address));
    }
    return std::vector{EngineCandidate{std::string(path), std::string(origin), true}};
  };
  if (!flag.empty()) return named(flag, "--engine");
  for (const char* variable : {"DOCKER_HOST", "CONTAINER_HOST"}) {
    if (const auto value = get_env(variable); value && !value->empty()) return named(*value, variable);
  }
  std::vector<EngineCandidate> candidates;
  const auto add = [&candidates](const std::string& path) {
    candidates.push_back({.socket = path, .origin = path, .binding = false});
  };
  const auto runtime_dir = get_env("XDG_RUNTIME_DIR");
  add("/var/run/docker.sock");
  if (runtime_dir && runtime_dir->starts_with('/')) {
    add(*runtime_dir + "/podman/podman.sock");
    add(*runtime_dir + "/docker.sock");
  }
  add("/run/podman/podman.sock");
  if (const auto home = get_env("HOME"); home && home->starts_with('/')) add(*home + "/.docker/run/docker.sock");
  return candidates;
}

Error no_engine_error(const std::vector<std::string>& tried) {
  std::string message =
      "no container engine answers; start podman (systemctl --user start podman.socket) or dockerd, or run the steps "
      "as "
      "processes of this host (--runtime process), or say where an engine listens (DOCKER_HOST=unix:///path)";
  if (!tried.empty()) message += "; tried: " + join(tried, "; ");
  return {Code::kFailedPrecondition, message};
}

std::string find_program(std::string_view name, const GetEnv& get_env) {
  const std::string path = get_env("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (const std::string_view folder : split(path, ':')) {
    if (!folder.starts_with('/')) continue;
    std::string program = fmt::format("{}/{}", folder, name);
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return "";
}

}  // namespace tiphys::node

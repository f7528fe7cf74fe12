// What a container engine is told about a container, and what its answers mean.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"
#include "node/runtime.h"

namespace tiphys::node {

/// Labels of every container of ours.
inline constexpr std::string_view kIdLabel = "tiphys.io/id";
/// Whose it is: several planes may share an engine.
inline constexpr std::string_view kPlaneLabel = "tiphys.io/plane";
inline constexpr std::string_view kPodUidLabel = "tiphys.io/pod-uid";
inline constexpr std::string_view kPodNamespaceLabel = "tiphys.io/pod-namespace";
inline constexpr std::string_view kPodNameLabel = "tiphys.io/pod-name";
inline constexpr std::string_view kContainerNameLabel = "tiphys.io/container-name";

/// The engine's name of the container with this id; the name makes a second create fail.
std::string engine_name(std::string_view id);

struct EngineTraits {
  bool podman = false;
  std::string libpod_version{};  ///< of podman's own API
  bool init = true;              ///< the engine has an init program for containers
  bool rootless = false;         ///< an ordinary user's: this host does not reach its network
};

/// Where a container belongs.
struct EnginePlace {
  std::string plane;    ///< any text that no other plane on the engine has
  std::string network;  ///< the engine's network mode, "" its default
};

/// The body of POST /containers/create.
doc::Value create_body(const ContainerSpec& spec, const EngineTraits& traits, const EnginePlace& place);

/// The path and query that list our containers, all of them or a plane's.
std::string list_target(std::string_view plane = "");
/// The ids of the containers that such a list holds.
Result<std::vector<std::string>> parse_list(std::string_view body);

/// An image reference taken apart as the engines' pull call wants it: "alpine" is {"alpine", "latest"},
/// "a:5000/b@sha256:..." is {"a:5000/b@sha256:...", ""}.
struct ImageReference {
  std::string name;
  std::string tag;
};
ImageReference parse_image(std::string_view image);

enum class PullPolicy { kAlways, kIfNotPresent, kNever };
/// As Kubernetes defaults it: Always for the tag latest or none, else IfNotPresent.
PullPolicy pull_policy(std::string_view policy, std::string_view image);

/// What GET /containers/NAME/json says.
struct EngineState {
  std::string label_id;
  std::string engine_id;  ///< what the engine itself calls it
  int process = 0;        ///< its first one, as the engine sees it; 0 while it has none
  bool shares_host_network = false;
  std::string status;  ///< created, running, exited, ... podman also says configured, initialized, stopped
  bool ended = false;
  bool started = false;  ///< runs now or has run
  bool oom_killed = false;
  int exit_code = 0;
  std::string error;
  Time started_at{};
  Time finished_at{};
  std::string address;   ///< in the engine's network; "" while it has none, or shares the host's
  std::string log_path;  ///< where the engine keeps the log, on its own host
};
Result<EngineState> parse_inspect(std::string_view body);

/// The outcome for the user. `we_killed`: a stop was asked for. `limited`: the container had a memory limit.
/// podman does not tell of the kernel's out-of-memory kill, so SIGKILL under a limit counts as one when nobody sent it.
ContainerExit exit_of(const EngineState& state, bool limited, bool we_killed);

/// A pull's stream of JSON objects: dockerd and podman both report some failures only inside a stream of status 200.
/// nullopt when there is none.
std::optional<std::string> pull_error(std::string_view stream);

/// The part of X-Docker-Container-Path-Stat that matters: the path to ask for instead, if this one is a symbolic link.
std::string link_target(std::string_view path_stat_base64);

}  // namespace tiphys::node

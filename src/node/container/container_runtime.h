// The runtime that runs a container's image through podman or dockerd, by the Docker Engine API on a unix socket.
//
// The containers belong to the engine, not to this process: they outlive it, and start() with the same id finds them
// again, by name and label. No engine is looked for before the first call that needs one.
//
// The message of a start that failed begins with Kubernetes' own reason: "ErrImagePull: ", "ErrImageNeverPull: ",
// "CreateContainerError: " or "StartError: ". Its code is kFailedPrecondition when no engine answers, kCancelled when
// stop() came first.
#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "node/runtime.h"
#include "node/services/service_network.h"

namespace tiphys::node {

struct ContainerRuntimeOptions {
  /// The engine's socket, a path or unix:// address; "" discovers it: DOCKER_HOST, CONTAINER_HOST, the usual places,
  /// and at last a podman of our own.
  std::string engine;
  /// A folder of this plane alone, made when it is needed (its parent must exist): the socket of a podman of our own
  /// lies there. Its path is also the containers' mark of whose they are.
  std::string state_dir;
  /// Never pull. An image that is present is used even where the policy is Always.
  bool offline = false;
  /// Network mode of every container ("host", "none", a network's name); "" is the engine's bridge.
  std::string network;
  /// How containers reach Services (ContainerSpec::reaches_services); null: they do not. It outlives the runtime.
  ServiceNetwork* services = nullptr;
};

/// After the runtime's destruction none of its callbacks comes. The destructor does not end containers.
std::unique_ptr<Runtime> make_container_runtime(Executor& executor, ContainerRuntimeOptions options);

}  // namespace tiphys::node

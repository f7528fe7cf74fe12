// What podman's service has mounted of a container, of which it may lose count.
#pragma once

#include <functional>
#include <string>

#include "node/container/container_runtime_async.h"
#include "node/container/container_runtime_engine.h"

namespace tiphys::node {

/// Keeps the container's files mounted until it is removed. podman unmounts an ended container in a process of its own,
/// and its service, busy with others, loses count of what is mounted (seen in 4.3): outputs could not be read then, and
/// what was mounted for the inputs could not be mounted again for the start. Does nothing on other engines.
Async<void> hold_mounted(Engine& engine, std::string id);

/// Makes a call that mounts the container's files; when podman has lost count of them, its count is put right and the
/// call made again.
Async<Status> with_mounts(Engine& engine, std::string id, std::function<Async<Status>()> call);

}  // namespace tiphys::node

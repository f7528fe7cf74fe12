// The image of network holders (node/network_holder.h), made on an engine from a program that is part of this one.
#pragma once

#include <string>

#include "node/container/container_runtime_async.h"
#include "node/container/docker_client.h"

namespace tiphys::node {

/// The image's file system: a tar with the program alone.
std::string network_holder_tar();
/// Makes it, or makes it again.
Async<Status> make_network_holder_image(const DockerClient& client);

}  // namespace tiphys::node

// Copies of what lies in an ended container.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <string>

#include "node/container/container_runtime_async.h"
#include "node/container/container_runtime_engine.h"

namespace tiphys::node {

/// Copies a path of the container of this id to a new folder in `scratch_dir` and returns the copy's path, whose last
/// part is that of `path`. Symbolic links are followed within the container; links inside a folder are kept as links.
/// kNotFound when the container has no such path, kDataLoss when there is no such container.
Async<Result<std::string>> fetch_path(Engine& engine, boost::asio::thread_pool& workers, std::string id,
                                      std::string path, std::string scratch_dir);

}  // namespace tiphys::node

// A command in a running container of an engine with its streams, by the engine's exec calls.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "base/executor.h"
#include "cluster/session.h"
#include "node/container/container_runtime_engine.h"

namespace tiphys::node {

/// The command as the io_context's thread sees it.
class EngineExec;

/// Starts it; the call is on the io_context's thread. kNotFound when the container does not run.
Async<Result<std::shared_ptr<EngineExec>>> open_exec_in_container(boost::asio::io_context& io,
                                                                  std::shared_ptr<Engine> engine, std::string id,
                                                                  cluster::SessionOptions options);

/// The same as `executor`'s thread sees it. Goes before the io_context.
std::unique_ptr<cluster::Session> make_container_session(boost::asio::io_context& io, Executor& executor,
                                                         std::shared_ptr<EngineExec> exec);

}  // namespace tiphys::node

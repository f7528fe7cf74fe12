// A command in a running step of the process runtime with its streams: pipes, or a terminal.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "cluster/session.h"
#include "node/process/step_command.h"

namespace tiphys::node {

/// kNotFound when the step does not run.
Result<std::unique_ptr<cluster::Session>> open_in_step(boost::asio::io_context& context, const StepProcess& step,
                                                       cluster::SessionOptions options);

}  // namespace tiphys::node

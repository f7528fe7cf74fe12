// Runs commands in a running step of the process runtime, for their exit codes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "node/process/step_command.h"

namespace tiphys::node {

/// `done` gets the command's exit code, 128 + signal when it was killed; kDeadlineExceeded after `timeout`: then it has
/// been killed. What it writes is lost. `done` is called by `context`, never from inside the call.
void run_in_step(boost::asio::io_context& context, const StepProcess& step, std::vector<std::string> command,
                 Duration timeout, std::move_only_function<void(Result<int>)> done);

}  // namespace tiphys::node

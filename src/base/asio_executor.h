// The program's Executor, over a Boost.Asio io_context that network code shares.
#pragma once

#include <memory>

#include "base/executor.h"

namespace boost::asio {
class io_context;
}

namespace tiphys {

/// `context` must outlive the executor and be run by one thread.
std::unique_ptr<Executor> make_asio_executor(boost::asio::io_context& context);

}  // namespace tiphys

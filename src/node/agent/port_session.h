// A TCP connection to a port of a pod.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "cluster/session.h"

namespace tiphys::node {

/// `address` is numeric. `done` is called by `context`, never from inside the call.
void connect_to_port(boost::asio::io_context& context, const std::string& address, std::uint16_t port,
                     cluster::Done<std::unique_ptr<cluster::Session>> done);

}  // namespace tiphys::node

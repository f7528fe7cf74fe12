// Sockets that reach an address in whichever network it is (base/network_doors.h).
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cerrno>

#include "base/network_doors.h"

namespace tiphys::node {

/// Opens `socket`, for a connection to there.
inline boost::system::error_code open_socket_to(const boost::asio::ip::address& there,
                                                boost::asio::ip::tcp::socket& socket) {
  using boost::asio::ip::tcp;
  boost::system::error_code error;
  if (!there.is_v4()) {
    socket.open(tcp::v6(), error);
    if (!error) close_on_exec(socket.native_handle());
    return error;
  }
  UniqueFd opened(NetworkDoors::of_process().open_tcp(there.to_v4().to_uint()));
  if (!opened) return {errno, boost::system::system_category()};
  socket.assign(tcp::v4(), opened.get(), error);
  if (!error) static_cast<void>(opened.release());
  return error;
}

}  // namespace tiphys::node

#include "node/services/network_join.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/namespace_sockets.h"

namespace tiphys::node {
namespace {

constexpr int kBacklog = 1024;

}  // namespace

Result<JoinedSockets> open_sockets_beside(pid_t process) {
  TIPHYS_TRY(const NetworkNamespace there, network_namespace_of(process));
  if (is_own(there)) return JoinedSockets{};
  constexpr std::array kKinds{SocketKind{AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0},
                              SocketKind{AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}};
  TIPHYS_TRY(std::vector<UniqueFd> sockets, open_sockets(there, kKinds));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(sockets[0].get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(sockets[0].get(), kBacklog) != 0) {
    return fail_errno("listen on 127.0.0.1 of the container", errno);
  }
  return JoinedSockets{.listener = std::move(sockets[0]), .netfilter = std::move(sockets[1])};
}

}  // namespace tiphys::node

// Sockets of other network namespaces: one belongs to the network in which it was made, whoever uses it.
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace tiphys {

/// Kept by it, whatever becomes of its processes.
struct NetworkNamespace {
  UniqueFd user;  ///< that it belongs to, as far as that is not ours
  UniqueFd network;
};
/// That of a process. kPermissionDenied for one of another user.
Result<NetworkNamespace> network_namespace_of(pid_t process);
/// It is that of this process.
bool is_own(const NetworkNamespace& there);

/// As socket(2) takes them.
struct SocketKind {
  int family, type, protocol;
};
inline constexpr std::size_t kMostNamespaceSockets = 8;
/// One of each kind, made by a child that enters the namespace: it takes a fork. For this process's own and for those
/// of user namespaces that are its user's; root enters all.
Result<std::vector<UniqueFd>> open_sockets(const NetworkNamespace& there, std::span<const SocketKind> kinds);

}  // namespace tiphys

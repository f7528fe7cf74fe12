// Sockets in the network namespace of another process: a child joins it, and hands them back.
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/unique_fd.h"

namespace tiphys::node {

struct JoinedSockets {
  UniqueFd listener;   ///< listens on a free port of 127.0.0.1 there
  UniqueFd netfilter;  ///< for rules of nftables there
};

/// Without sockets when that namespace is our own. Blocks for some milliseconds; any thread. kPermissionDenied: neither
/// root nor whoever started the container; kNotFound: there is no such process.
Result<JoinedSockets> open_sockets_beside(pid_t process);

}  // namespace tiphys::node

// Rules of nftables that lead all that a network namespace sends to addresses of Services to one port of its localhost
// (linux/netfilter/nf_tables.h).
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace tiphys::node {

/// The table of ours in such a namespace.
inline constexpr const char* kRedirectTable = "tiphys-services";

/// Messages for a socket of NETLINK_NETFILTER: the table made anew, whatever was in it.
std::string redirect_rules(std::uint16_t port);
/// Sends them and waits for the kernel's answer.
Status apply_rules(int netlink, const std::string& messages);

}  // namespace tiphys::node

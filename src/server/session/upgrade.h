// Which protocol is spoken after an upgrade, and how the upgrade is answered.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "objects/refusal.h"
#include "server/routes.h"

namespace tiphys::server {

enum class Transport { kWebSocket, kSpdy };

struct Agreed {
  Transport transport = Transport::kSpdy;
  std::string protocol;  ///< "v4.channel.k8s.io"; "" when the client named none
  std::string head;      ///< the answer: 101 with its headers
};

bool is_websocket(const UpgradeRequest& upgrade);

/// The first protocol of the client that is known. 400 where the request is for no such upgrade, 403 where none of its
/// protocols is known. A client that names none takes the oldest one.
objects::Outcome<Agreed> agree(const Request& request, std::span<const std::string_view> by_websocket,
                               std::span<const std::string_view> by_spdy);

}  // namespace tiphys::server

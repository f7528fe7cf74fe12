// Watches by WebSocket: each line of the answer is a text message, as Kubernetes sends them to clients that ask for an
// upgrade.
#pragma once

#include "server/exchange.h"

namespace tiphys::server {

/// Has what the exchange is answered with from now on go by WebSocket, if its client asks for that; what is refused
/// before the stream begins is answered as ever. A 400 for another upgrade is the error.
Handled take_websocket(Exchange& exchange);

}  // namespace tiphys::server

// grpc.health.v1.Health/Check, a call of two small messages: {1: service, a string} is answered by {1: status, 1 for
// SERVING}.
#pragma once

#include <string>
#include <string_view>

#include "web/http_client.h"

namespace tiphys::node {

/// Asks the server at "HOST:PORT", without TLS, for a service; "" is the server as a whole.
web::HttpRequest health_request(const std::string& authority, std::string_view service);

/// An error says why an answer is not SERVING.
Status is_serving(const web::HttpAnswer& answer);

}  // namespace tiphys::node

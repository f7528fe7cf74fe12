// A request by REST as the document of its method's request message.
#pragma once

#include "server/argo/rest_route.h"
#include "server/url.h"

namespace tiphys::server {

/// From body, query and path, the later ones winning, as grpc-gateway binds them: parameters that the message does not
/// have are ignored, and so is the query where the body is the whole request. Nulls are dropped, numbers as text are
/// numbers, and what is a kind gets its apiVersion and kind where it has none. kInvalidArgument: what does not fit.
Result<doc::Object> bind_request(const RestRoute& found, const Target& query, std::string_view body);

}  // namespace tiphys::server

// The methods of Argo's ArchivedWorkflowService, as calls in this process and as requests to a server.
#pragma once

#include <string_view>

#include "argo/call.h"
#include "server/argo_client.h"

namespace tiphys::cli {

/// `method` is one of the service's: "ListArchivedWorkflows".
void ask_services(argo::Services& services, std::string_view method, doc::Object request,
                  cluster::Done<doc::Value> done);
server::ArgoRequest archive_request(std::string_view method, doc::Object request);

}  // namespace tiphys::cli

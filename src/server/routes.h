// The HTTP interface of a plane: Kubernetes' routes over an ObjectApi. Transport is somebody else's (connection.h), so
// that this can be tested without sockets.
//
//   GET POST DELETE       /api/v1/namespaces/{ns}/{plural}       /apis/{group}/{version}/namespaces/{ns}/{plural}
//   GET                   /api/v1/{plural}                       all namespaces, or what has none
//   GET PUT PATCH DELETE  .../{plural}/{name}                    GET PUT PATCH .../{name}/status
//   GET                   .../pods/{name}/log                    container follow timestamps previous tailLines
//                                                                limitBytes sinceSeconds sinceTime
//   GET POST              .../pods/{name}/exec attach            upgrades: container command stdin stdout stderr tty
//   GET POST              .../pods/{name}/portforward            upgrades: ports
//   GET                   /api /apis /openapi/v2 /openapi/v3 /healthz /readyz /livez /version /metrics
//
// Of our own: lists of workflows take nodes=true (status.nodes included); a workflow with watchNodes=true gives lines
// {"type": "NODE", "object": NodeStatus} and a BOOKMARK after those that exist; ensureNamespace=true with a POST makes
// a missing namespace. Logs with format=cri are lines "time stream F text", and one "time error F message" when reading
// fails.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "argo/artifact_files.h"
#include "argo/call.h"
#include "base/executor.h"
#include "cluster/session.h"
#include "objects/object_api.h"
#include "server/authentication.h"
#include "server/gate.h"
#include "server/responder.h"

namespace tiphys::server {

class AuditLog;
class UiFiles;

/// A client that wants to speak something else on its connection.
struct UpgradeRequest {
  std::string to;                                ///< "websocket", "SPDY/3.1"
  std::vector<std::string> stream_protocols;     ///< X-Stream-Protocol-Version
  std::vector<std::string> websocket_protocols;  ///< Sec-WebSocket-Protocol
  std::string websocket_version, websocket_key;
};

/// What a call by gRPC says beside its path.
struct GrpcHeaders {
  std::string timeout, encoding;
};

struct Request {
  std::string method;
  std::string target;
  std::string content_type;
  std::string accept;
  std::string user_agent;
  std::string peer;  ///< its address; "" at the unix socket
  std::string host, cookie;
  std::string body;
  std::optional<UpgradeRequest> upgrade{};
  std::optional<GrpcHeaders> grpc{};  ///< of a call by gRPC, which needs HTTP/2
  Time at{};
  std::shared_ptr<const objects::Caller> caller{};  ///< null: the plane's owner, at its socket
  Impersonation impersonation{};
  std::vector<argo::ExtraHeader> extra{};
};

/// What the routes show.
struct Served {
  Executor& executor;
  objects::ObjectApi& api;
  std::function<std::string()> metrics = {};  ///< the page /metrics; none: there is no such page
  cluster::SessionOpener sessions = {};       ///< streams into pods; none: there are none
  doc::Shared config = {};                    ///< the page /configz; null: there is no such page
  std::shared_ptr<AuditLog> audit = {};       ///< where requests are told; null: nowhere
  argo::Services* argo = nullptr;             ///< what Argo's API does; null: there is no such API
  argo::ArtifactFiles* artifacts = nullptr;   ///< null: there are no such routes
  std::shared_ptr<const UiFiles> ui = {};     ///< what browsers are shown; null: nothing
  Authentication auth = {};
};

/// Answers one request that may be made (authorisation is done).
void handle(const Served& served, Request request, const std::shared_ptr<Responder>& responder);

}  // namespace tiphys::server

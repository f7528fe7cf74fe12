// The HTTP interface of a plane: Kubernetes' routes over an ObjectApi. Transport is somebody else's (connection.h), so
// that this can be tested without sockets.
//
//   GET POST DELETE       /api/v1/namespaces/{ns}/{plural}       /apis/{group}/{version}/namespaces/{ns}/{plural}
//   GET                   /api/v1/{plural}                       all namespaces, or what has none
//   GET PUT PATCH DELETE  .../{plural}/{name}                    GET PUT PATCH .../{name}/status
//   GET                   .../pods/{name}/log                    container follow timestamps previous tailLines
//                                                                sinceTime
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

#include "base/executor.h"
#include "cluster/session.h"
#include "objects/object_api.h"
#include "server/gate.h"
#include "server/session/wire.h"

namespace tiphys::server {

class AuditLog;

/// A client that wants to speak something else on its connection.
struct UpgradeRequest {
  std::string to;                                ///< "websocket", "SPDY/3.1"
  std::vector<std::string> stream_protocols;     ///< X-Stream-Protocol-Version
  std::vector<std::string> websocket_protocols;  ///< Sec-WebSocket-Protocol
  std::string websocket_version, websocket_key;
};

struct Request {
  std::string method;
  std::string target;
  std::string content_type;
  std::string accept;
  std::string user_agent;
  std::string peer;  ///< its address; "" at the unix socket
  std::string body;
  std::optional<UpgradeRequest> upgrade{};
  Time at{};
  std::shared_ptr<const objects::Caller> caller{};  ///< null: the plane's owner, at its socket
  Impersonation impersonation{};
};

/// Where the answer to one request goes: one whole reply, or a stream. Calls come on the plane's thread; after the peer
/// has gone they do nothing.
class Responder {
 public:
  virtual ~Responder() = default;
  /// `warnings` go into headers of that name.
  virtual void reply(unsigned code, std::string_view content_type, std::string body,
                     std::vector<std::string> warnings) = 0;
  void reply(unsigned code, std::string_view content_type, std::string body) {
    reply(code, content_type, std::move(body), {});
  }

  virtual void begin_stream(std::string_view content_type) = 0;
  virtual void write(std::string chunk) = 0;
  /// From now on a reader may lag by no more than a bound before it is cut: what came before was there to be read all
  /// at once and is no lag.
  virtual void bound_lag() = 0;
  virtual void end_stream() = 0;
  /// Sends `head`, an answer 101, and hands the connection over.
  virtual void upgrade(std::string head, std::unique_ptr<Speaker> speaker) = 0;
  /// Keeps what feeds the stream for as long as the peer reads it.
  virtual void hold(std::unique_ptr<cluster::Watch> source) = 0;
};

/// What the routes show.
struct Served {
  Executor& executor;
  objects::ObjectApi& api;
  std::function<std::string()> metrics = {};  ///< the page /metrics; none: there is no such page
  cluster::SessionOpener sessions = {};       ///< streams into pods; none: there are none
  doc::Shared config = {};                    ///< the page /configz; null: there is no such page
  std::shared_ptr<AuditLog> audit = {};       ///< where requests are told; null: nowhere
};

/// Answers one request that may be made (authorisation is done).
void handle(const Served& served, Request request, const std::shared_ptr<Responder>& responder);

}  // namespace tiphys::server

#include "server/argo/grpc_call.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "cluster/api_status.h"
#include "schema/protobuf.h"
#include "server/argo/errors.h"
#include "server/argo/grpc_answer.h"
#include "server/argo/grpc_frames.h"
#include "server/audit.h"
#include "server/entrance.h"

namespace tiphys::server {
namespace {

/// With protobuf, which goes without saying.
bool is_spoken(std::string_view content_type) {
  constexpr std::string_view kGrpc = "application/grpc";
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  return type == kGrpc || type == "application/grpc+proto";
}

/// Of "/workflow.WorkflowService/GetWorkflow".
Result<const argo::Method*> find_method(const Served& served, std::string_view path) {
  const auto slash = path.rfind('/');
  if (!path.starts_with('/') || slash == 0) {
    return fail(Code::kUnimplemented, fmt::format("malformed method name: \"{}\"", path));
  }
  const std::string_view service = path.substr(1, slash - 1), name = path.substr(slash + 1);
  const argo::Method* found = served.argo ? argo::find_method(service, name) : nullptr;
  if (found) return found;
  const bool known = served.argo && std::ranges::any_of(argo::methods(), [&](const argo::Method& method) {
                       return method.service == service;
                     });
  return fail(Code::kUnimplemented, known ? fmt::format("unknown method {} for service {}", name, service)
                                          : fmt::format("unknown service {}", service));
}

Result<std::optional<Duration>> timeout_of(const GrpcHeaders& headers) {
  if (headers.timeout.empty()) return std::nullopt;
  TIPHYS_TRY(const Duration timeout, parse_grpc_timeout(headers.timeout));
  return timeout;
}

Status call(const ExchangePtr& exchange) {
  Request& request = exchange->request;
  TIPHYS_TRY(const argo::Method* method, find_method(exchange->served, request.target));
  TIPHYS_TRY(const std::optional<Duration> timeout, timeout_of(*request.grpc));
  TIPHYS_TRY(const std::string message, read_grpc_message(request.body, request.grpc->encoding, kMostBodyBytes));
  auto document = schema::decode_message(*method->request, message);
  if (!document) return std::unexpected(document.error().in("grpc: error unmarshalling request"));
  const std::string_view ns = doc::find_string(*document, "namespace");
  if (auto known = take_account(*exchange, ns); !known) return std::unexpected(error_of(known.error()));
  if (auto known = take_identity(*exchange); !known) return std::unexpected(error_of(known.error()));
  if (exchange->audit) exchange->audit->calls(*method, document->as_object());
  exchange->served.argo->call({.method = *method,
                               .request = std::move(document->as_object()),
                               .caller = request.caller,
                               .answer = make_grpc_answer(*exchange, *method, timeout),
                               .extra = request.extra});
  return {};
}

}  // namespace

void call_by_grpc(const ExchangePtr& exchange) {
  const auto refuse_http = [&](unsigned code, std::string_view reason, const std::string& message) {
    exchange->responder->reply(code, kJson, cluster::status_json(code, reason, message));
  };
  const Request& request = exchange->request;
  if (!is_spoken(request.content_type)) {
    return refuse_http(415, "UnsupportedMediaType",
                       fmt::format("gRPC is spoken as application/grpc, not as {}", request.content_type));
  }
  if (request.method != "POST") return refuse_http(405, "MethodNotAllowed", "a call by gRPC is a POST");
  if (const Status called = call(exchange); !called) refuse_grpc(*exchange->responder, called.error());
}

}  // namespace tiphys::server

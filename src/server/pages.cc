// What an API server shows beside objects.
#include <fmt/format.h>

#include "base/strings.h"
#include "objects/discovery.h"
#include "objects/openapi.h"
#include "objects/openapi_protobuf.h"
#include "server/exchange.h"
#include "server/version.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kPrometheus = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kAggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The document, unless it is null: then the path names nothing.
bool show(const Exchange& exchange, const doc::Value& document) {
  if (document.is_null()) return false;
  reply_document(exchange, 200, document);
  return true;
}

bool show_groups(const Exchange& exchange, bool core) {
  const objects::Kinds& kinds = exchange.api().kinds();
  if (exchange.form.aggregated) {
    exchange.responder->reply(200, kAggregated, doc::to_json(objects::aggregated_groups(kinds, core)));
    return true;
  }
  return show(exchange, core ? objects::api_versions("localhost") : objects::api_groups(kinds));
}

bool show_openapi(const Exchange& exchange, std::span<const std::string> path) {
  const objects::Kinds& kinds = exchange.api().kinds();
  if (path.size() == 1 && path[0] == "v2") {
    const std::string& accept = exchange.request.accept;
    if (!accept.contains(objects::kOpenapiProtobuf) && !accept.contains(objects::kOldOpenapiProtobuf)) {
      return show(exchange, objects::openapi_v2(kinds));
    }
    exchange.responder->reply(200, objects::kOpenapiProtobuf, objects::openapi_protobuf(objects::openapi_v2(kinds)));
    return true;
  }
  if (path.empty() || path[0] != "v3") return false;
  if (path.size() == 1) return show(exchange, objects::openapi_v3_index(kinds));
  return show(exchange, objects::openapi_v3(kinds, join(path.subspan(1), "/")));
}

bool show_paths(const Exchange& exchange) {
  doc::Array paths{"/api", "/apis"};
  for (const objects::Kinds::Group& group : exchange.api().kinds().groups()) {
    for (const std::string_view version : group.versions) {
      paths.push_back(doc::Value("/" + objects::openapi_path(group.name, version)));
    }
  }
  for (const char* path : {"/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"}) {
    paths.emplace_back(path);
  }
  return show(exchange, doc::Object{{"paths", std::move(paths)}});
}

}  // namespace

bool serve_page(const Exchange& exchange) {
  if (exchange.request.method != "GET") return false;
  const std::span<const std::string> path = exchange.query.path;
  const objects::Kinds& kinds = exchange.api().kinds();
  if (path.empty()) return show_paths(exchange);
  const std::string& first = path[0];
  if (first == "openapi") return show_openapi(exchange, path.subspan(1));
  if (first == "api" && path.size() == 2) return show(exchange, objects::api_resources(kinds, "", path[1]));
  if (first == "apis" && path.size() == 2) return show(exchange, objects::api_group(kinds, path[1]));
  if (first == "apis" && path.size() == 3) return show(exchange, objects::api_resources(kinds, path[1], path[2]));
  if (path.size() > 1 && first != "healthz" && first != "readyz" && first != "livez") return false;
  if (first == "api" || first == "apis") return show_groups(exchange, first == "api");
  if (first == "healthz" || first == "readyz" || first == "livez") {
    exchange.responder->reply(200, kText, "ok");
  } else if (first == "version") {
    exchange.responder->reply(200, kJson, version_json());
  } else if (first == "configz" && exchange.served.config) {
    return show(exchange, *exchange.served.config);
  } else if (first == "metrics" && exchange.served.metrics) {
    exchange.responder->reply(200, kPrometheus, exchange.served.metrics());
  } else {
    return false;
  }
  return true;
}

}  // namespace tiphys::server

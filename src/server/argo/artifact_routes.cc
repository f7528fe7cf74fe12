#include "server/argo/artifact_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "server/argo/artifact_page.h"
#include "server/argo/errors.h"
#include "server/argo/form_file.h"
#include "server/file_stream.h"

namespace tiphys::server {
namespace {

using argo::ArtifactName;
using argo::FoundArtifact;
using Path = std::span<const std::string>;

void refuse_artifact(const Exchange& exchange, const Error& error) {
  exchange.responder->reply(gateway_code(error.code), "text/plain; charset=utf-8", error.message + "\n");
}

std::string_view raw_path(const Exchange& exchange) {
  const std::string_view target = exchange.request.target;
  return target.substr(0, target.find('?'));
}

/// Relative to the path that the browser knows, which a proxy may have shortened.
void redirect(const Exchange& exchange, std::string_view more) {
  const std::string_view target = exchange.request.target, path = raw_path(exchange);
  const std::string_view last = path.substr(path.rfind('/') + 1);
  exchange.responder->reply(
      {.code = 307, .fields = {{"Location", fmt::format("./{}{}{}", last, more, target.substr(path.size()))}}}, "");
}

/// How a found artifact is answered with.
using Show = void (*)(const Exchange&, FoundArtifact);

void send_file(const Exchange& exchange, FoundArtifact found) {
  if (!found.file) {
    return refuse_artifact(
        exchange, {Code::kUnimplemented,
                   fmt::format("artifact \"{}\" is a folder: /artifact-files shows what is in it", found.name)});
  }
  stream_file(exchange.served.executor, std::move(found.file), artifact_head(found.name), exchange.responder);
}

void browse(const Exchange& exchange, FoundArtifact found) {
  const bool wants_folder = raw_path(exchange).ends_with('/');
  if (found.file && wants_folder) {
    return refuse_artifact(exchange, {Code::kNotFound, fmt::format("\"{}\" is no folder", found.name)});
  }
  if (found.file) return send_file(exchange, std::move(found));
  if (!wants_folder) return redirect(exchange, "/");
  if (exchange.request.accept == kJson) {
    return exchange.responder->reply(
        200, kJson, doc::to_json(doc::Object{{"files", doc::Array(found.files.begin(), found.files.end())}}));
  }
  if (std::ranges::find(found.files, "index.html") != found.files.end()) return redirect(exchange, "index.html");
  exchange.responder->reply(folder_page_head(), folder_page(found.files));
}

void find(const ExchangePtr& exchange, ArtifactName name, Show show) {
  exchange->served.artifacts->find(
      exchange->request.caller, std::move(name), [exchange, show](Result<FoundArtifact> found) {
        found ? show(*exchange, std::move(*found)) : refuse_artifact(*exchange, found.error());
      });
}

Status wrong_path(std::string_view form) {
  return fail(Code::kInvalidArgument, fmt::format("the path is not {}", form));
}

Status get_by_name(const ExchangePtr& exchange, Path path, bool input) {
  if (path.size() != 5) return wrong_path("/artifacts/NAMESPACE/WORKFLOW/NODE/ARTIFACT");
  find(exchange, {.ns = path[1], .workflow = path[2], .node = path[3], .input = input, .artifact = path[4]}, send_file);
  return {};
}

Status get_by_uid(const ExchangePtr& exchange, Path path, bool input) {
  if (path.size() != 4) return wrong_path("/artifacts-by-uid/UID/NODE/ARTIFACT");
  find(exchange, {.uid = path[1], .node = path[2], .input = input, .artifact = path[3]}, send_file);
  return {};
}

Status get_in(const ExchangePtr& exchange, Path path) {
  const bool good = path.size() >= 7 && (path[2] == "workflows" || path[2] == "archived-workflows") &&
                    (path[5] == "inputs" || path[5] == "outputs");
  if (!good) {
    return wrong_path("/artifact-files/NAMESPACE/workflows or archived-workflows/ID/NODE/inputs or outputs/ARTIFACT");
  }
  ArtifactName name{.ns = path[1], .node = path[4], .input = path[5] == "inputs", .artifact = path[6]};
  (path[2] == "workflows" ? name.workflow : name.uid) = path[3];
  for (const std::string& part : path.subspan(7)) name.file += (name.file.empty() ? "" : "/") + part;
  find(exchange, std::move(name), browse);
  return {};
}

Status upload(const ExchangePtr& exchange, Path path) {
  if (path.size() != 4) return wrong_path("/upload-artifacts/NAMESPACE/WORKFLOWTEMPLATE/ARTIFACT");
  TIPHYS_TRY(const FormFile file, find_form_file(exchange->request.content_type, exchange->request.body, "file"));
  exchange->served.artifacts->upload(exchange->request.caller,
                                     {.ns = path[1],
                                      .workflow_template = path[2],
                                      .artifact = path[3],
                                      .file_name = file.name,
                                      .content = std::string(file.content)},
                                     [exchange, artifact = path[3]](const Result<std::string>& key) {
                                       if (!key) return refuse_artifact(*exchange, key.error());
                                       exchange->responder->reply(
                                           200, kJson, doc::to_json(doc::Object{{"key", *key}, {"name", artifact}}));
                                     });
  return {};
}

struct ArtifactRoute {
  std::string_view first, method;
  Status (*serve)(const ExchangePtr& exchange, Path path);
};

constexpr ArtifactRoute kRoutes[] = {
    {"artifacts", "GET", [](const ExchangePtr& e, Path path) { return get_by_name(e, path, false); }},
    {"input-artifacts", "GET", [](const ExchangePtr& e, Path path) { return get_by_name(e, path, true); }},
    {"artifacts-by-uid", "GET", [](const ExchangePtr& e, Path path) { return get_by_uid(e, path, false); }},
    {"input-artifacts-by-uid", "GET", [](const ExchangePtr& e, Path path) { return get_by_uid(e, path, true); }},
    {"artifact-files", "GET", get_in},
    {"upload-artifacts", "POST", upload},
};

/// Names are names: none leads elsewhere.
bool is_plain(std::string_view part) {
  return part != "." && part != ".." && part.find('/') == part.npos && part.find('\0') == part.npos;
}

Status serve(const ExchangePtr& exchange, const ArtifactRoute& route) {
  if (exchange->request.method != route.method) {
    exchange->responder->reply(
        {.code = 405, .content_type = "text/plain; charset=utf-8", .fields = {{"Allow", std::string(route.method)}}},
        "Method not allowed\n");
    return {};
  }
  if (!std::ranges::all_of(exchange->query.path, is_plain)) {
    return fail(Code::kInvalidArgument, "a part of the path is no name");
  }
  const bool by_uid = route.first.ends_with("-by-uid");
  const auto& path = exchange->query.path;
  const std::string_view ns = by_uid || path.size() < 2 ? std::string_view() : std::string_view(path[1]);
  if (auto known = take_account(*exchange, ns); !known) return std::unexpected(error_of(known.error()));
  if (auto known = take_identity(*exchange); !known) return std::unexpected(error_of(known.error()));
  return route.serve(exchange, exchange->query.path);
}

}  // namespace

bool is_of_artifacts(std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  return std::ranges::find(kRoutes, path.substr(0, path.find('/')), &ArtifactRoute::first) != std::ranges::end(kRoutes);
}

bool serve_artifacts(const ExchangePtr& exchange) {
  if (!exchange->served.artifacts || exchange->query.path.empty()) return false;
  const auto route = std::ranges::find(kRoutes, exchange->query.path.front(), &ArtifactRoute::first);
  if (route == std::ranges::end(kRoutes)) return false;
  if (const Status served = serve(exchange, *route); !served) refuse_artifact(*exchange, served.error());
  return true;
}

}  // namespace tiphys::server

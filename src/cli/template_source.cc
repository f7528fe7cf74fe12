#include "cli/template_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/cron_workflow.h"
#include "api/join.h"
#include "api/parse.h"
#include "api/references.h"
#include "cli/commands/common.h"
#include "controllers/fetch_references.h"
#include "controllers/names.h"
#include "expr/go_layout.h"

namespace tiphys::cli {
namespace {

const Manifest* find(const std::vector<Manifest>& manifests, const cluster::Key& key) {
  const auto found = std::ranges::find_if(manifests, [&](const Manifest& each) {
    return template_resource(each.workflow) == key.resource &&
           doc::find_string(each.workflow, "metadata", "name") == key.name &&
           (!key.resource->namespaced || doc::find_string(each.workflow, "metadata", "namespace") == key.ns);
  });
  return found == manifests.end() ? nullptr : &*found;
}

Result<cluster::Object> get_template(Session& session, const cluster::Key& key, const std::vector<Manifest>& others) {
  if (const Manifest* other = find(others, key)) return std::make_shared<const doc::Value>(other->workflow);
  Result<cluster::Object> object = get_object(session, key);
  if (!object && object.error().code == Code::kNotFound) return cluster::Object();
  return object;
}

bool is_called(const cluster::Resource& resource, std::string_view kind) {
  return kind == resource.kind || resource.is_called(kind);
}

}  // namespace

Status check_references(Session& session, const Manifest& manifest, const std::vector<Manifest>& others,
                        const doc::Shared& defaults) {
  std::vector<api::Finding> findings;
  const std::string_view kind = doc::find_string(manifest.workflow, "kind");
  const bool cron = kind == cluster::kCronWorkflows.kind;
  doc::Value document = cron ? api::make_workflow(manifest.workflow, "", "") : manifest.workflow;
  const doc::Value* spec = nullptr;
  if (defaults && kind == cluster::kWorkflows.kind) {
    TIPHYS_TRY(document, api::with_workflow_defaults(document, *defaults));
    spec = doc::find(*defaults, "spec");
  }
  const api::Workflow workflow = api::parse_workflow(document, findings);
  api::References references(workflow, spec ? doc::Shared(defaults, spec) : nullptr);
  if (references.wanted().empty()) return {};
  while (!references.wanted().empty()) {
    const api::TemplateHolder holder = *references.wanted().begin();
    TIPHYS_TRY(const cluster::Object object, get_template(session, controllers::key_of(holder, workflow.ns), others));
    references.add(holder, object);
  }
  findings.clear();
  if (const auto& error = references.error()) {
    findings.push_back({.pointer = "/spec/workflowTemplateRef", .message = error->message});
  } else {
    api::validate_workflow(api::parse_resolved_workflow(references.stored_in(document), findings), findings,
                           {.references = true});
  }
  std::erase_if(findings, [](const api::Finding& finding) { return !finding.is_error(); });
  if (cron) findings = api::place_in_cron_workflow(std::move(findings));
  if (findings.empty()) return {};
  return fail(Code::kInvalidArgument, api::render_findings(findings, manifest.marks));
}

Result<cluster::Object> put_object(Session& session, const cluster::Resource& resource, const doc::Value& object,
                                   bool replace) {
  auto created = await<cluster::Object>(
      session.loop(), [&](auto done) { session.cluster().create(resource, object, std::move(done)); });
  if (created || !replace || created.error().code != Code::kAlreadyExists) return created;
  const cluster::Key key{&resource, std::string(doc::find_string(object, "metadata", "namespace")),
                         std::string(doc::find_string(object, "metadata", "name"))};
  return await<cluster::Object>(session.loop(),
                                [&](auto done) { session.cluster().update(key, object, std::move(done)); });
}

Result<cluster::Object> put_template(Session& session, const doc::Value& tmpl, bool replace) {
  return put_object(session, *template_resource(tmpl), tmpl, replace);
}

std::optional<cluster::Key> cron_workflow_of(const std::string& resource, const std::string& ns) {
  const auto slash = resource.find('/');
  if (slash == std::string::npos || slash + 1 == resource.size()) return std::nullopt;
  const std::string kind = resource.substr(0, slash);
  if (!is_called(cluster::kCronWorkflows, kind) && kind != "cwf") return std::nullopt;
  return cluster::Key{&cluster::kCronWorkflows, ns, resource.substr(slash + 1)};
}

Manifest workflow_from(const doc::Value& cron_workflow, Time now) {
  expr::GoTime time = expr::from_time(now);
  time.zone = expr::host_zone();
  return {api::make_workflow(cron_workflow, "", expr::format_time(time, expr::kRfc3339)), doc::Marks()};
}

Result<Manifest> workflow_from(const std::string& resource) {
  const auto slash = resource.find('/');
  if (slash == std::string::npos || slash + 1 == resource.size()) {
    return fail(Code::kInvalidArgument,
                fmt::format("resource identifier '{}' is malformed. Should be `kind/name`, e.g. cronwf/hello-world-cwf",
                            resource));
  }
  const std::string kind = resource.substr(0, slash), name = resource.substr(slash + 1);
  const bool of_cluster = is_called(cluster::kClusterWorkflowTemplates, kind) || kind == "cwft";
  if (!of_cluster && !is_called(cluster::kWorkflowTemplates, kind)) {
    return fail(Code::kInvalidArgument,
                fmt::format("Resource kind '{}' is not supported for submitting: write cronworkflow/NAME, "
                            "workflowtemplate/NAME or clusterworkflowtemplate/NAME",
                            kind));
  }
  doc::Object ref{{"name", name}};
  if (of_cluster) ref["clusterScope"] = true;
  const std::string_view label =
      of_cluster ? controllers::kClusterWorkflowTemplateLabel : controllers::kWorkflowTemplateLabel;
  return Manifest{
      doc::Object{{"apiVersion", cluster::kWorkflows.api_version()},
                  {"kind", cluster::kWorkflows.kind},
                  {"metadata", doc::Object{{"generateName", name + "-"}, {"labels", doc::Object{{label, name}}}}},
                  {"spec", doc::Object{{"workflowTemplateRef", std::move(ref)}}}},
      doc::Marks()};
}

}  // namespace tiphys::cli

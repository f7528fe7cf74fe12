#include "cli/template_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/parse.h"
#include "api/references.h"
#include "cli/commands/common.h"
#include "controllers/fetch_references.h"
#include "controllers/names.h"

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

}  // namespace

Status check_references(Session& session, const Manifest& manifest, const std::vector<Manifest>& others) {
  std::vector<api::Finding> findings;
  const api::Workflow workflow = api::parse_workflow(manifest.workflow, findings);
  api::References references(workflow);
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
    api::validate_workflow(api::parse_resolved_workflow(references.stored_in(manifest.workflow), findings), findings,
                           {.references = true});
  }
  std::erase_if(findings, [](const api::Finding& finding) { return !finding.is_error(); });
  if (findings.empty()) return {};
  return fail(Code::kInvalidArgument, api::render_findings(findings, manifest.marks));
}

Result<cluster::Object> put_template(Session& session, const doc::Value& tmpl, bool replace) {
  const cluster::Resource& resource = *template_resource(tmpl);
  auto created = await<cluster::Object>(session.loop(),
                                        [&](auto done) { session.cluster().create(resource, tmpl, std::move(done)); });
  if (created || !replace || created.error().code != Code::kAlreadyExists) return created;
  const cluster::Key key{&resource, std::string(doc::find_string(tmpl, "metadata", "namespace")),
                         std::string(doc::find_string(tmpl, "metadata", "name"))};
  return await<cluster::Object>(session.loop(),
                                [&](auto done) { session.cluster().update(key, tmpl, std::move(done)); });
}

Result<Manifest> workflow_from(const std::string& resource) {
  const auto slash = resource.find('/');
  if (slash == std::string::npos || slash + 1 == resource.size()) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("resource identifier '{}' is malformed. Should be `kind/name`, e.g. workflowtemplate/my-tmpl",
                    resource));
  }
  const std::string kind = resource.substr(0, slash), name = resource.substr(slash + 1);
  const auto is = [&](const cluster::Resource& each) {
    return kind == each.kind || kind == each.singular || kind == each.plural || kind == each.short_name;
  };
  const bool of_cluster = is(cluster::kClusterWorkflowTemplates) || kind == "cwft";
  if (!of_cluster && !is(cluster::kWorkflowTemplates)) {
    for (const char* cron : {"CronWorkflow", "cronworkflow", "cronworkflows", "cronwf"}) {
      if (kind == cron) return fail(Code::kUnimplemented, "CronWorkflows are not supported yet");
    }
    return fail(Code::kInvalidArgument,
                fmt::format("Resource kind '{}' is not supported for submitting: write workflowtemplate/NAME or "
                            "clusterworkflowtemplate/NAME",
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

#include "cli/template_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/parse.h"
#include "argo/judge.h"
#include "argo/submit_source.h"
#include "cli/commands/common.h"
#include "controllers/fetch_references.h"

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

Status check_references(Session& session, const Manifest& manifest, const std::vector<Manifest>& others,
                        const PlaneRules& rules) {
  if (rules.form_alone) return {};
  TIPHYS_TRY(argo::Referring referring, argo::Referring::read(manifest.workflow, rules.defaults));
  if (referring.wanted().empty()) return {};
  while (!referring.wanted().empty()) {
    const api::TemplateHolder holder = *referring.wanted().begin();
    TIPHYS_TRY(const cluster::Object object,
               get_template(session, controllers::key_of(holder, referring.ns()), others));
    referring.add(holder, object);
  }
  const argo::Findings findings = referring.judge(false);
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
  const auto there =
      await<cluster::Object>(session.loop(), [&](auto done) { session.cluster().get(key, std::move(done)); });
  if (!there) return there;
  // Kinds of the API want to be told what is replaced.
  doc::Value next = object;
  doc::ensure_object(next.as_object(), "metadata")["resourceVersion"] =
      doc::find_string(**there, "metadata", "resourceVersion");
  return await<cluster::Object>(session.loop(),
                                [&](auto done) { session.cluster().update(key, std::move(next), std::move(done)); });
}

Result<cluster::Object> put_template(Session& session, const doc::Value& tmpl, bool replace) {
  return put_object(session, *template_resource(tmpl), tmpl, replace);
}

namespace {

/// "kind/name".
std::optional<std::pair<std::string, std::string>> split_resource(const std::string& resource) {
  const auto slash = resource.find('/');
  if (slash == std::string::npos || slash + 1 == resource.size()) return std::nullopt;
  return std::pair(resource.substr(0, slash), resource.substr(slash + 1));
}

}  // namespace

std::optional<cluster::Key> cron_workflow_of(const std::string& resource, const std::string& ns) {
  const auto parts = split_resource(resource);
  if (!parts || argo::submit_kind(parts->first) != &cluster::kCronWorkflows) return std::nullopt;
  return cluster::Key{&cluster::kCronWorkflows, ns, parts->second};
}

Manifest workflow_from(const doc::Value& cron_workflow, Time now) {
  return {argo::workflow_from_cron(cron_workflow, now), doc::Marks()};
}

Result<Manifest> workflow_from(const std::string& resource) {
  const auto parts = split_resource(resource);
  if (!parts) {
    return fail(Code::kInvalidArgument,
                fmt::format("resource identifier '{}' is malformed. Should be `kind/name`, e.g. cronwf/hello-world-cwf",
                            resource));
  }
  const auto& [kind, name] = *parts;
  const cluster::Resource* from = argo::submit_kind(kind);
  if (!from || from == &cluster::kCronWorkflows) {
    return fail(Code::kInvalidArgument,
                fmt::format("Resource kind '{}' is not supported for submitting: write cronworkflow/NAME, "
                            "workflowtemplate/NAME or clusterworkflowtemplate/NAME",
                            kind));
  }
  return Manifest{argo::workflow_from_template(*from, name), doc::Marks()};
}

}  // namespace tiphys::cli

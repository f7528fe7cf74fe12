#include "controllers/artifact_repository.h"

#include <fmt/format.h>

#include "api/artifact_location.h"
#include "controllers/global_scope.h"
#include "controllers/pod_files.h"
#include "doc/truth.h"
#include "doc/yaml.h"

namespace tiphys::controllers {
namespace {

constexpr std::string_view kDefaultConfigMap = "artifact-repositories";
constexpr std::string_view kDefaultKeyAnnotation = "workflows.argoproj.io/default-artifact-repository";

doc::Object default_status(const doc::Shared& configured) {
  return {{"artifactRepository", configured ? *configured : doc::Value(doc::Object())}, {"default", true}};
}

/// What a ConfigMap holds under the key; null when it does not.
Result<doc::Value> repository_in(const doc::Value& config_map, const std::string& key) {
  const std::string_view text = doc::find_string(config_map, "data", key);
  if (text.empty()) return nullptr;
  auto documents = doc::parse_yaml(text, key);
  if (!documents) return std::unexpected(documents.error());
  if (documents->empty() || !documents->front().root.is_object()) {
    return fail(Code::kInvalidArgument, "it is no repository: write \"s3: {endpoint: ..., bucket: ...}\"");
  }
  return documents->front().root;
}

/// The status for a ConfigMap; null when it does not name a repository.
Result<doc::Value> status_of(const doc::Value& config_map, std::string key) {
  if (key.empty()) key = doc::find_string(config_map, "metadata", "annotations", kDefaultKeyAnnotation);
  const std::string_view ns = doc::find_string(config_map, "metadata", "namespace");
  const std::string_view name = doc::find_string(config_map, "metadata", "name");
  auto repository = repository_in(config_map, key);
  if (!repository) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("failed to unmarshall config map key \"{0}\" for artifact repository ref \"{1}/{2}#{0}\": {3}", key,
                    ns, name, repository.error().message));
  }
  if (repository->is_null()) return nullptr;
  return doc::Object{
      {"artifactRepository", std::move(*repository)}, {"configMap", name}, {"key", key}, {"namespace", ns}};
}

/// The first tag that is still there.
std::string_view open_tag(std::string_view text) {
  const auto begin = text.find("{{");
  const auto end = begin == text.npos ? text.npos : text.find("}}", begin);
  return end == text.npos ? "" : text.substr(begin, end + 2 - begin);
}

/// Where the keys of a node's artifacts lie.
doc::Object archive_of(const api::Workflow& workflow, const api::NodeStatus& node) {
  const std::string_view scope = node.template_scope.starts_with("local/") ? "" : std::string_view(node.template_scope);
  const api::Template* tmpl = workflow.find_template(scope, node.template_name, node.template_ref);
  if (tmpl && has_own_archive(*tmpl->document)) {
    const doc::Object& own = doc::find(*tmpl->document, "archiveLocation")->get_object();
    return {{api::location_kind(own), own.at(api::location_kind(own))}};
  }
  const doc::Value* repository = doc::find(*workflow.document, "status", "artifactRepositoryRef", "artifactRepository");
  const doc::Value location =
      repository && repository->is_object() ? api::repository_location(repository->get_object()) : nullptr;
  if (location.is_object()) return location.get_object();
  return {{"s3", doc::Object()}};
}

}  // namespace

void find_artifact_repository(cluster::Cluster& cluster, const std::string& ns, const doc::Value& spec,
                              const doc::Shared& configured, cluster::Done<doc::Value> done) {
  const doc::Value* ref = doc::find(spec, "artifactRepositoryRef");
  const bool named = ref && ref->is_object();
  std::string name(named ? doc::find_string(*ref, "configMap") : ""), key(named ? doc::find_string(*ref, "key") : "");
  const std::string shown = fmt::format("{}#{}", name, key);
  if (name.empty()) name = kDefaultConfigMap;
  cluster.get({&cluster::kConfigMaps, ns, name}, [named, key, shown, configured, done = std::move(done)](
                                                     const Result<cluster::Object>& config_map) mutable {
    if (!config_map && config_map.error().code != Code::kNotFound) {
      return done(std::unexpected(config_map.error()));
    }
    Result<doc::Value> status = nullptr;
    if (config_map) status = status_of(**config_map, key);
    if (!status || !status->is_null()) return done(std::move(status));
    if (!named) return done(default_status(configured));
    done(fail(Code::kInvalidArgument,
              fmt::format("failed to find any artifact repository for artifact repository ref \"{}\"", shown)));
  });
}

doc::Value artifact_location(const api::Workflow& workflow, const api::NodeStatus& node, const doc::Value& artifact) {
  if (!artifact.is_object()) return nullptr;
  doc::Value location = api::relocated(artifact.get_object(), archive_of(workflow, node));
  describe_to_plugin(location, artifact);
  return location;
}

bool has_own_archive(const doc::Value& pod_template) {
  const doc::Value* own = doc::find(pod_template, "archiveLocation");
  if (!own || !own->is_object()) return false;
  const std::string_view kind = api::location_kind(own->get_object());
  return !kind.empty() && api::has_location(kind, *doc::find(*own, kind));
}

Result<ArtifactRepository> ArtifactRepository::of(const doc::Value& ref_status, const api::Workflow& workflow,
                                                  const expr::Ambient& ambient) {
  ArtifactRepository made;
  const doc::Value* repository = doc::find(ref_status, "artifactRepository");
  if (!repository || !repository->is_object()) return made;
  made.archives_logs_ = doc::is_true(*repository, "archiveLogs");
  doc::Value location = api::repository_location(repository->get_object());
  if (location.is_null()) return made;
  TIPHYS_TRY(const auto compiled, expr::DocumentTemplate::compile(std::move(location)));
  expr::Scope scope = global_scope(workflow);
  scope.set_ambient(&ambient);
  TIPHYS_TRY(const doc::Shared rendered, compiled.render(scope, expr::Unresolved::kKeep));
  TIPHYS_TRY(made.location_, expr::DocumentTemplate::compile(*rendered));
  return made;
}

Result<doc::Object> ArtifactRepository::location(const doc::Value& pod_template, std::string_view workflow_name,
                                                 std::string_view pod_name) const {
  if (has_own_archive(pod_template)) {
    const doc::Object& own = doc::find(pod_template, "archiveLocation")->get_object();
    const std::string_view kind = api::location_kind(own);
    return doc::Object{{kind, own.at(kind)}};
  }
  if (!location_.document()->is_object()) {
    return doc::Object{{"s3", doc::Object{{"key", fmt::format("{}/{}", workflow_name, pod_name)}}}};
  }
  expr::Scope scope;
  scope.set("pod.name", std::string(pod_name));
  const doc::Value* parameters = doc::find(pod_template, "inputs", "parameters");
  for (const doc::Value& parameter : parameters && parameters->is_array() ? parameters->get_array() : doc::Array()) {
    const doc::Value* value = doc::find(parameter, "value");
    if (!value) continue;
    scope.set(fmt::format("inputs.parameters.{}", doc::find_string(parameter, "name")), doc::scalar_text(*value));
  }
  TIPHYS_TRY(const doc::Shared rendered, location_.render(scope, expr::Unresolved::kKeep));
  if (const std::string text = doc::to_json(*rendered); !open_tag(text).empty()) {
    return fail(Code::kInvalidArgument, fmt::format("failed to resolve {}", open_tag(text)));
  }
  return rendered->get_object();
}

}  // namespace tiphys::controllers

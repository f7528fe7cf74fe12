#include "controllers/resource_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "api/resource_flags.h"
#include "base/hash.h"
#include "base/strings.h"
#include "cluster/generated_name.h"
#include "controllers/owner_reference.h"
#include "doc/yaml.h"

namespace tiphys::controllers {
namespace {

using Action = ResourcePlan::Action;

constexpr std::array<std::pair<std::string_view, Action>, 6> kActions{{{"get", Action::kGet},
                                                                       {"create", Action::kCreate},
                                                                       {"apply", Action::kApply},
                                                                       {"patch", Action::kPatch},
                                                                       {"replace", Action::kReplace},
                                                                       {"delete", Action::kDelete}}};

constexpr std::string_view kNoKindAndName =
    "Kind and name are both required but at least one of them is missing from the manifest";

std::unexpected<Error> refuse(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

/// kubectl's own errors, which the original repeats and then gives up on.
std::unexpected<Error> kubectl_refuses(const std::string& message) {
  return refuse(fmt::format("{}error: {}", kNoMoreRetries, message));
}

/// The rest of generateName: the same for the same node and place in the manifest, so that creating again finds the
/// first object.
std::string suffix_of(const ActionRequest& request, std::size_t place) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  const std::string own = fmt::format("{}/{}", request.workflow_uid, request.run.node_id);
  std::uint32_t hash = fnv1a_32(place == 0 ? own : fmt::format("{}/{}", own, place));
  std::string suffix;
  for (int i = 0; i < 5; ++i) {
    suffix += kAlphabet[hash % kAlphabet.size()];
    hash /= kAlphabet.size();
  }
  return suffix;
}

std::vector<std::string> flags_of(const doc::Value& resource) {
  std::vector<std::string> flags;
  const doc::Value* list = doc::find(resource, "flags");
  if (!list || !list->is_array()) return flags;
  for (const doc::Value& flag : list->get_array()) flags.push_back(doc::scalar_text(flag));
  return flags;
}

/// By kind, plural, singular or short name, with or without ".group".
const cluster::Resource* find_resource_word(std::string_view word) {
  std::string_view group;
  std::string_view name = word;
  if (const std::size_t dot = word.find('.'); dot != std::string_view::npos) {
    name = word.substr(0, dot);
    group = word.substr(dot + 1);
  }
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const cluster::Resource* resource : cluster::resources()) {
    const bool named = resource->is_called(lower);
    if (named && (group.empty() || group.starts_with(resource->group))) return resource;
  }
  return nullptr;
}

/// The documents that say something.
Result<std::vector<doc::Value>> parse_manifest(std::string_view text) {
  Result<std::vector<doc::Document>> documents = doc::parse_yaml(text, kManifestPath);
  if (!documents) {
    return kubectl_refuses(fmt::format("error parsing {}: {}", kManifestPath, documents.error().message));
  }
  std::vector<doc::Value> said;
  for (doc::Document& document : *documents) {
    if (!document.root.is_null()) said.push_back(std::move(document.root));
  }
  return said;
}

/// What a list holds stands in its place, as kubectl takes it.
std::vector<doc::Value> without_lists(std::vector<doc::Value> documents) {
  std::vector<doc::Value> objects;
  for (doc::Value& document : documents) {
    doc::Value* items = document.is_object() ? document.get_object().if_contains("items") : nullptr;
    if (items && items->is_array()) {
      std::ranges::move(items->get_array(), std::back_inserter(objects));
    } else {
      objects.push_back(std::move(document));
    }
  }
  return objects;
}

Result<const cluster::Resource*> resource_of_manifest(const doc::Value& manifest) {
  const std::string_view kind = doc::find_string(manifest, "kind");
  const std::string_view version = doc::find_string(manifest, "apiVersion");
  if (kind.empty() || version.empty()) {
    return kubectl_refuses(fmt::format(
        "error validating \"{}\": error validating data: {} not set; if you choose to ignore these errors, turn "
        "validation off with --validate=false",
        kManifestPath, kind.empty() ? "kind" : "apiVersion"));
  }
  if (const cluster::Resource* resource = cluster::find_resource(version, kind)) return resource;
  return kubectl_refuses(
      fmt::format("resource mapping not found for name: \"{}\" namespace: \"{}\" from \"{}\": no matches for kind "
                  "\"{}\" in version \"{}\"\nensure CRDs are installed first",
                  doc::find_string(manifest, "metadata", "name"), doc::find_string(manifest, "metadata", "namespace"),
                  kManifestPath, kind, version));
}

Result<std::string> namespace_of(const ActionRequest& request, const api::ResourceFlags& flags,
                                 const doc::Value& manifest) {
  const std::string_view own = doc::find_string(manifest, "metadata", "namespace");
  if (!own.empty() && !flags.ns.empty() && own != flags.ns) {
    return kubectl_refuses(
        fmt::format("the namespace from the provided object \"{}\" does not match the namespace \"{}\". You must pass "
                    "'--namespace={}' to perform this operation.",
                    own, flags.ns, own));
  }
  if (!own.empty()) return std::string(own);
  return flags.ns.empty() ? request.ns : flags.ns;
}

/// Kind, namespace and name from the manifest; makes them whole in it.
Status target_manifest(const ActionRequest& request, const api::ResourceFlags& flags, doc::Value manifest,
                       ResourcePlan& plan) {
  if (!manifest.is_object()) {
    return kubectl_refuses(fmt::format("error parsing {}: the manifest is no object", kManifestPath));
  }
  cluster::Key key;
  TIPHYS_TRY(key.resource, resource_of_manifest(manifest));
  doc::Object& metadata = doc::ensure_object(manifest.get_object(), "metadata");
  key.name = doc::find_string(manifest, "metadata", "name");
  if (key.name.empty() && plan.action == Action::kCreate) {
    if (const std::string_view prefix = doc::find_string(manifest, "metadata", "generateName"); !prefix.empty()) {
      key.name = fmt::format("{}{}", cluster::name_prefix(prefix), suffix_of(request, plan.targets.size()));
      metadata["name"] = key.name;
    }
  }
  if (key.name.empty()) return kubectl_refuses("resource name may not be empty");
  if (key.resource->namespaced) {
    TIPHYS_TRY(key.ns, namespace_of(request, flags, manifest));
    metadata["namespace"] = key.ns;
  }
  plan.targets.push_back({std::move(key), std::move(manifest)});
  return {};
}

Result<cluster::Key> key_of(const ActionRequest& request, const api::ResourceFlags& flags,
                            const api::ResourceFlags::Named& named) {
  const cluster::Resource* resource = find_resource_word(named.kind);
  if (!resource) return kubectl_refuses(fmt::format("the server doesn't have a resource type \"{}\"", named.kind));
  const std::string& ns = flags.ns.empty() ? request.ns : flags.ns;
  return cluster::Key{resource, resource->namespaced ? ns : "", named.name};
}

/// Only what is deleted may be selected: of what is read the original takes one object.
Status target_selected(const ActionRequest& request, const api::ResourceFlags& flags, ResourcePlan& plan) {
  if (plan.action == Action::kGet) {
    return refuse(std::string(kNoKindAndName));
  }
  if (plan.action != Action::kDelete) return refuse("resource.flags: only delete takes selectors");
  ResourcePlan::Selection& selection = plan.selection.emplace();
  const auto refuse_selector = [](const Error& error) { return kubectl_refuses(error.message); };
  auto labels = cluster::Selector::parse(flags.labels);
  if (!labels) return refuse_selector(labels.error());
  auto fields = cluster::Selector::parse_fields(flags.fields);
  if (!fields) return refuse_selector(fields.error());
  selection.labels = std::move(*labels);
  selection.fields = std::move(*fields);
  for (const auto& named : flags.objects) {
    if (!named.name.empty()) return kubectl_refuses("name cannot be provided when a selector is specified");
    TIPHYS_TRY(selection.kinds.emplace_back(), key_of(request, flags, named));
  }
  return {};
}

Status target_flags(const ActionRequest& request, const api::ResourceFlags& flags, const doc::Value& manifest,
                    ResourcePlan& plan) {
  if (flags.objects.empty()) {
    return kubectl_refuses("You must provide one or more resources by argument or filename.");
  }
  if (flags.selects()) return target_selected(request, flags, plan);
  for (const auto& named : flags.objects) {
    TIPHYS_TRY(cluster::Key key, key_of(request, flags, named));
    if (named.name.empty()) return kubectl_refuses("resource name may not be empty");
    plan.targets.push_back({std::move(key), manifest});
  }
  return {};
}

Status read_patch_type(std::string_view strategy, ResourcePlan& plan) {
  if (strategy.empty() || strategy == "strategic") {
    plan.patch_type = cluster::PatchType::kStrategic;
  } else if (strategy == "merge") {
    plan.patch_type = cluster::PatchType::kMerge;
  } else if (strategy == "json") {
    plan.patch_type = cluster::PatchType::kJson;
  } else {
    return kubectl_refuses(fmt::format("--type must be one of [json merge strategic], not \"{}\"", strategy));
  }
  return {};
}

void add_owner(const ActionRequest& request, doc::Value& manifest) {
  doc::Value& owners = doc::ensure_object(manifest.get_object(), "metadata")["ownerReferences"];
  if (!owners.is_array()) owners = doc::Array{};
  owners.get_array().push_back(owner_reference(request.workflow_name, request.workflow_uid));
}

Status read_manifest(const ActionRequest& request, const doc::Value& resource, ResourcePlan& plan) {
  TIPHYS_TRY(const api::ResourceFlags flags, api::read_resource_flags(flags_of(resource)));
  plan.ignore_not_found = flags.ignore_not_found;
  plan.grace_seconds = flags.grace_seconds;
  plan.wait = flags.wait;
  plan.force = flags.force;
  if (plan.action == Action::kPatch) {
    // Of two flags kubectl takes the later one.
    const std::string_view strategy = doc::find_string(resource, "mergeStrategy");
    TIPHYS_CHECK_OK(read_patch_type(flags.patch_type.empty() ? strategy : flags.patch_type, plan));
  }
  const std::string_view text = doc::find_string(resource, "manifest");
  if (trim(text).empty() && flags_of(resource).empty())
    return refuse("Must provide at least one of flags or manifest.");
  TIPHYS_TRY(std::vector<doc::Value> documents, parse_manifest(text));
  if (documents.empty()) return target_flags(request, flags, nullptr, plan);
  // A patch without a kind is the patch alone; the flags name what it is for.
  if (plan.action == Action::kPatch && doc::find_string(documents.front(), "kind").empty()) {
    return target_flags(request, flags, documents.front(), plan);
  }
  const doc::Value* owner = doc::find(resource, "setOwnerReference");
  if (owner && owner->is_bool() && owner->get_bool()) {
    // The original reads one document to give it an owner and writes that one.
    documents.resize(1);
    if (documents.front().is_object()) add_owner(request, documents.front());
  }
  for (doc::Value& object : without_lists(std::move(documents))) {
    TIPHYS_CHECK_OK(target_manifest(request, flags, std::move(object), plan));
  }
  if (plan.targets.empty()) return kubectl_refuses("no objects passed");
  // kubectl takes the patch from a file, and of a file the first document.
  if (plan.action == Action::kPatch) {
    for (ResourcePlan::Target& target : std::span(plan.targets).subspan(1)) {
      target.manifest = plan.targets.front().manifest;
    }
  }
  return {};
}

Status check_delete(const ResourcePlan& plan) {
  const doc::Value* parameters = doc::find(plan.outputs, "parameters");
  const bool wants_outputs = parameters && parameters->is_array() && !parameters->get_array().empty();
  if (!plan.success_condition.empty() || !plan.failure_condition.empty() || wants_outputs) {
    return refuse("successCondition, failureCondition and outputs are not supported for delete action");
  }
  return {};
}

std::string_view reason_of(Code code) {
  switch (code) {
    case Code::kNotFound:
      return "NotFound";
    case Code::kAlreadyExists:
      return "AlreadyExists";
    case Code::kAborted:
      return "Conflict";
    case Code::kPermissionDenied:
      return "Forbidden";
    case Code::kInvalidArgument:
      return "BadRequest";
    case Code::kFailedPrecondition:
      return "Invalid";
    case Code::kResourceExhausted:
      return "TooManyRequests";
    case Code::kUnavailable:
      return "ServiceUnavailable";
    case Code::kDeadlineExceeded:
      return "Timeout";
    default:
      return "InternalError";
  }
}

/// Without the spaces that the original's printed form of a requirement does not have.
std::string print_requirement(std::string_view text) {
  text = trim(text);
  if (text.find('(') != std::string_view::npos) return std::string(text);
  std::string printed;
  for (const char c : text) {
    if (c != ' ') printed += c;
  }
  return printed;
}

}  // namespace

Result<ResourcePlan> plan_resource(const ActionRequest& request) {
  const doc::Value& pod_template = *request.run.template_document;
  const doc::Value* resource = doc::find(pod_template, "resource");
  if (!resource) return refuse("the template has no resource");
  ResourcePlan plan;
  const std::string_view action = doc::find_string(*resource, "action");
  const auto known = std::ranges::find(kActions, action, [](const auto& pair) { return pair.first; });
  if (known == kActions.end()) return kubectl_refuses(fmt::format("unknown command \"{}\" for \"kubectl\"", action));
  plan.action = known->second;
  plan.success_condition = doc::find_string(*resource, "successCondition");
  plan.failure_condition = doc::find_string(*resource, "failureCondition");
  if (const doc::Value* outputs = doc::find(pod_template, "outputs")) plan.outputs = *outputs;
  if (plan.action == Action::kDelete) TIPHYS_CHECK_OK(check_delete(plan));
  TIPHYS_CHECK_OK(read_manifest(request, *resource, plan));
  return plan;
}

Error kubectl_error(const Error& error, std::string_view doing) {
  const std::string where = doing.empty() ? "" : fmt::format("error when {} \"{}\": ", doing, kManifestPath);
  return {error.code, fmt::format("Error from server ({}): {}{}", reason_of(error.code), where, error.message)};
}

std::string_view several_objects_error(ResourcePlan::Action action) {
  // These print a List, which has no name; the others print one object after another.
  return action == Action::kGet || action == Action::kApply ? kNoKindAndName
                                                            : "invalid character '{' after top-level value";
}

std::vector<std::string> condition_requirements(std::string_view condition) {
  std::vector<std::string> requirements;
  std::string_view rest = trim(condition);
  while (!rest.empty()) {
    std::size_t end = 0;
    int depth = 0;
    for (; end < rest.size(); ++end) {
      const char c = rest[end];
      if (c == '(' || c == '[' || c == '{') ++depth;
      if (c == ')' || c == ']' || c == '}') --depth;
      if (c == ',' && depth <= 0) break;
    }
    requirements.push_back(print_requirement(rest.substr(0, end)));
    rest = end < rest.size() ? rest.substr(end + 1) : std::string_view();
  }
  return requirements;
}

}  // namespace tiphys::controllers

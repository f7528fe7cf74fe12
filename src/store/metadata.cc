#include "store/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/strings.h"
#include "cluster/generated_name.h"

namespace tiphys::store {
namespace {

constexpr std::size_t kMostNameBytes = 253;

Error invalid(const cluster::Resource& resource, std::string_view name, std::string_view why) {
  return {Code::kInvalidArgument, fmt::format("{} \"{}\" is invalid: {}", resource.kind, name, why)};
}

Status set_type(const cluster::Resource& resource, doc::Object& object) {
  const std::string api_version = resource.api_version();
  const std::pair<std::string_view, std::string_view> wanted[] = {{"apiVersion", api_version}, {"kind", resource.kind}};
  for (const auto& [member, value] : wanted) {
    const doc::Value* given = object.if_contains(member);
    if (given && *given != doc::Value(value)) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{} of a {} is {}, not {}", member, resource.singular, value, doc::scalar_text(*given)));
    }
    object[member] = value;
  }
  return {};
}

/// Kubernetes keeps a Secret's stringData, base64-encoded, in data.
Status fold_string_data(doc::Object& secret) {
  const doc::Value* given = secret.if_contains("stringData");
  if (!given) return {};
  if (const doc::Object* texts = given->if_object()) {
    const doc::Object copied = *texts;
    doc::Object& data = doc::ensure_object(secret, "data");
    for (const auto& [key, value] : copied) {
      const auto* text = value.if_string();
      if (!text)
        return fail(Code::kInvalidArgument,
                    fmt::format("stringData[{}] of a secret is no string", std::string_view(key)));
      data[key] = encode_base64(*text);
    }
  }
  secret.erase("stringData");
  return {};
}

/// Moves `member` of the old metadata into the new, or removes it there.
void keep(doc::Object& metadata, const doc::Value& before, std::string_view member) {
  if (const doc::Value* value = doc::find(before, "metadata", member)) {
    metadata[member] = *value;
  } else {
    metadata.erase(member);
  }
}

}  // namespace

Error not_found(const cluster::Resource& resource, std::string_view name) {
  return {Code::kNotFound, fmt::format("{} \"{}\" not found", resource.qualified, name)};
}

Error already_exists(const cluster::Resource& resource, std::string_view name) {
  return {Code::kAlreadyExists, fmt::format("{} \"{}\" already exists", resource.qualified, name)};
}

Error conflict(const cluster::Resource& resource, std::string_view name, std::string_view why) {
  return {Code::kAborted, fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", resource.qualified, name, why)};
}

Status check_new(const cluster::Resource& resource, doc::Value& value) {
  doc::Object* object = value.if_object();
  if (!object) return fail(Code::kInvalidArgument, fmt::format("a {} must be an object", resource.singular));
  TIPHYS_CHECK_OK(set_type(resource, *object));
  doc::Object& metadata = doc::ensure_object(*object, "metadata");
  if (!resource.namespaced) {
    metadata.erase("namespace");
  } else if (doc::find_string(value, "metadata", "namespace").empty()) {
    metadata["namespace"] = "default";
  } else {
    TIPHYS_CHECK_OK(check_name(cluster::kNamespaces, doc::find_string(value, "metadata", "namespace")));
  }
  if (doc::find_string(value, "metadata", "name").empty() &&
      doc::find_string(value, "metadata", "generateName").empty()) {
    return std::unexpected(invalid(resource, "", "metadata.name: Required value: name or generateName is required"));
  }
  if (&resource == &cluster::kSecrets) TIPHYS_CHECK_OK(fold_string_data(*object));
  if (&resource == &cluster::kPods && doc::find_string(value, "status", "phase").empty()) {
    doc::ensure_object(*object, "status")["phase"] = "Pending";
  }
  return {};
}

std::string generated_name(std::string_view generate_name, Random& random) {
  return std::string(cluster::name_prefix(generate_name)) + make_name_suffix(random);
}

Status check_name(const cluster::Resource& resource, std::string_view name) {
  // "system:discovery": names of roles are segments of paths.
  if (resource.group == "rbac.authorization.k8s.io") {
    const bool segment = name != "." && name != ".." && name.find_first_of("/%") == name.npos && !name.empty();
    if (segment) return {};
  }
  const auto is_end = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto is_part = [&](std::string_view part) {
    return !part.empty() && is_end(part.front()) && is_end(part.back()) &&
           std::ranges::all_of(part, [&](char c) { return is_end(c) || c == '-'; });
  };
  if (name.size() > kMostNameBytes) {
    return std::unexpected(
        invalid(resource, name, fmt::format("metadata.name: Too long: must have at most {} bytes", kMostNameBytes)));
  }
  if (!std::ranges::all_of(split(name, '.'), is_part)) {
    return std::unexpected(invalid(
        resource, name,
        fmt::format("metadata.name: Invalid value: \"{}\": a lowercase RFC 1123 subdomain must consist of lower case "
                    "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
                    "'example.com', regex used for validation is "
                    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
                    name)));
  }
  return {};
}

bool is_custom(const cluster::Resource& resource) {
  const auto built_in = cluster::resources();
  return std::ranges::find(built_in, &resource) == built_in.end();
}

bool counts_generations(const cluster::Resource& resource, const doc::Value& object) {
  for (const cluster::Resource* without : {&cluster::kNamespaces, &cluster::kServices, &cluster::kNodes,
                                           &cluster::kPersistentVolumeClaims, &cluster::kLeases}) {
    if (without == &resource) return false;
  }
  return doc::find(object, "spec") || &resource == &cluster::kPriorityClasses || is_custom(resource);
}

void complete_new(const cluster::Resource& resource, doc::Value& object, const Name& name, const std::string& uid,
                  Time now, std::uint64_t version) {
  doc::Object& metadata = doc::ensure_object(object.as_object(), "metadata");
  metadata["name"] = name.name;
  metadata["uid"] = uid;
  metadata["creationTimestamp"] = format_rfc3339(now);
  if (counts_generations(resource, object)) metadata["generation"] = 1;
  for (const char* member : {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"}) metadata.erase(member);
  set_resource_version(object, version);
  // Its name may have been made just now.
  if (&resource == &cluster::kNamespaces) {
    doc::ensure_object(doc::ensure_object(object.get_object(), "metadata"), "labels")["kubernetes.io/metadata.name"] =
        name.name;
  }
}

bool is_version_of(const cluster::Resource& resource, const Revision& now, std::string_view version) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
  if (error != std::errc() || end != version.data() + version.size()) return false;
  return number == now.resource_version() || (&resource == &cluster::kWorkflows && number > now.resource_version());
}

Status check_update(const cluster::Resource& resource, const Name& name, const Revision& before, doc::Value& value) {
  doc::Object* object = value.if_object();
  if (!object) return fail(Code::kInvalidArgument, fmt::format("a {} must be an object", resource.singular));
  TIPHYS_CHECK_OK(set_type(resource, *object));
  const auto version = doc::find_string(value, "metadata", "resourceVersion");
  if (!version.empty() && !is_version_of(resource, before, version)) {
    return std::unexpected(
        conflict(resource, name.name,
                 "the object has been modified; please apply your changes to the latest version and try again"));
  }
  const auto uid = doc::find_string(value, "metadata", "uid");
  if (!uid.empty() && uid != before.uid()) {
    return std::unexpected(conflict(
        resource, name.name,
        fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}", uid, before.uid())));
  }
  const auto given = doc::find_string(value, "metadata", "name");
  if (!given.empty() && given != name.name) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("the name of the object ({}) does not match the name on the request ({})", given, name.name));
  }
  const doc::Shared present = before.base();
  doc::Object& metadata = doc::ensure_object(*object, "metadata");
  for (const char* member : {"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp",
                             "deletionGracePeriodSeconds", "generation", "resourceVersion"}) {
    keep(metadata, *present, member);
  }
  if (&resource == &cluster::kSecrets) TIPHYS_CHECK_OK(fold_string_data(*object));
  if (&resource == &cluster::kWorkflows) {
    doc::Value* status = object->if_contains("status");
    if (status && status->is_object() && status->as_object().erase("nodes") > 0 && status->as_object().empty() &&
        !doc::find(*present, "status")) {
      object->erase("status");
    }
  }
  return {};
}

void raise_generation(doc::Value& object) {
  doc::Object& metadata = doc::ensure_object(object.as_object(), "metadata");
  const doc::Value* generation = metadata.if_contains("generation");
  const std::int64_t present = generation && generation->is_int64() ? generation->as_int64() : 0;
  metadata["generation"] = present + 1;
}

bool has_finalizers(const cluster::Resource& resource, const doc::Value& base) {
  const auto any = [](const doc::Value* list) { return list && list->is_array() && !list->get_array().empty(); };
  return any(doc::find(base, "metadata", "finalizers")) ||
         (&resource == &cluster::kNamespaces && any(doc::find(base, "spec", "finalizers")));
}

bool is_terminating(const doc::Value& base) {
  return !doc::find_string(base, "metadata", "deletionTimestamp").empty();
}

Error terminating_namespace(const cluster::Resource& resource, const doc::Value& object) {
  auto name = doc::find_string(object, "metadata", "name");
  if (name.empty()) name = doc::find_string(object, "metadata", "generateName");
  return {Code::kPermissionDenied,
          fmt::format("{} \"{}\" is forbidden: unable to create new content in namespace {} because it is being "
                      "terminated",
                      resource.qualified, name, doc::find_string(object, "metadata", "namespace"))};
}

bool may_go(const cluster::Resource& resource, const doc::Value& base) {
  if (!is_terminating(base) || has_finalizers(resource, base)) return false;
  if (&resource != &cluster::kPods) return true;
  const doc::Value* grace = doc::find(base, "metadata", "deletionGracePeriodSeconds");
  return grace && grace->is_int64() && grace->as_int64() == 0;
}

}  // namespace tiphys::store

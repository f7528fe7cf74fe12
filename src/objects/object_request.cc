#include "objects/object_request.h"

#include <fmt/format.h>

#include "base/check.h"
#include "objects/custom_kind.h"
#include "objects/intake.h"
#include "objects/kind_rules.h"
#include "objects/scale.h"
#include "objects/service_rules.h"
#include "schema/check.h"
#include "schema/kubernetes.h"

namespace tiphys::objects {
namespace {

/// That an object of another type is not taken for one of this kind. Custom objects must say what they are.
Outcome<void> check_type(const Kind& kind, const doc::Value& body, std::string_view name, std::string_view version) {
  const std::string api_version = kind.api_version();
  const std::string_view wanted = kind.resource->kind;
  if (kind.custom && (name.empty() || version.empty())) {
    const std::string text = doc::to_json(body);
    constexpr std::size_t kShown = 30;
    return std::unexpected(bad_request(fmt::format(
        "the object provided is unrecognized (must be of type {}): Object '{}' is missing in '{}' ({}{})", wanted,
        name.empty() ? "Kind" : "apiVersion", text, text.substr(0, kShown), text.size() > kShown ? " ..." : "")));
  }
  if (kind.is_struct()) {
    if ((name.empty() || name == wanted) && (version.empty() || version == api_version)) return {};
    return std::unexpected(
        bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}", name.empty() ? wanted : name,
                                version.empty() ? api_version : version, wanted)));
  }
  if (!version.empty() && version != api_version) {
    return std::unexpected(bad_request(fmt::format(
        "the API version in the data ({}) does not match the expected API version ({})", version, api_version)));
  }
  if (name.empty() || name == wanted) return {};
  cluster::Resource other = *kind.resource;
  other.kind = name;
  return std::unexpected(
      refuse_invalid(other, doc::find_string(body, "metadata", "name"),
                     {schema::invalid("kind", doc::Value(name), fmt::format("must be {}", wanted))}));
}

void take_member(doc::Value& object, const doc::Value& from, std::string_view member) {
  if (const doc::Value* found = doc::find(from, member)) {
    object.get_object()[member] = *found;
  } else {
    object.get_object().erase(member);
  }
}

/// A namespace's are written at /finalize alone, and nothing else there.
void keep_finalizers(const Target& target, doc::Value& object, const doc::Value& before) {
  const bool is_finalize = target.subresource == "finalize";
  doc::Value kept = is_finalize ? before : object;
  doc::Value& finalizers = doc::ensure_object(kept.get_object(), "spec")["finalizers"];
  const doc::Value* found = doc::find(is_finalize ? object : before, "spec", "finalizers");
  finalizers = found && found->is_array() ? *found : doc::Value(doc::Array());
  if (is_finalize) {
    const doc::Value* version = doc::find(object, "metadata", "resourceVersion");
    doc::ensure_object(kept.get_object(), "metadata")["resourceVersion"] = version ? *version : doc::Value();
  }
  object = std::move(kept);
}

/// Which a pod was given as it was made.
void keep_priority(doc::Value& pod, const doc::Value& before) {
  doc::Object& spec = doc::ensure_object(pod.get_object(), "spec");
  for (const char* member : {"priority", "preemptionPolicy"}) {
    const doc::Value* given = doc::find(before, "spec", member);
    if (given && !spec.contains(member)) spec[member] = *given;
  }
}

/// `what` is the object, as messages name it.
Outcome<void> check_declared(const schema::Type& type, const doc::Value& config, const std::string& what) {
  const auto unknown = schema::unknown_fields(type, config);
  if (unknown.empty()) return {};
  std::string told;
  for (const std::string& field : unknown) {
    told += fmt::format("{}.{}: field not declared in schema", unknown.size() > 1 ? "\n  " : "", field);
  }
  return std::unexpected(Refusal{
      500, "",
      fmt::format("failed to create typed patch object ({}): {}{}", what, unknown.size() > 1 ? "errors:" : "", told)});
}

const schema::Type& scale_type() {
  const schema::Type* type = schema::kubernetes_type(kScaleVersion, "Scale");
  TIPHYS_CHECK(type, "the types are built in");
  return *type;
}

}  // namespace

Refusal refusal_for(const Target& target, const Error& error) {
  Refusal refusal = refusal_of(error, target.kind->resource, target.name);
  // The store names what it stores.
  const std::string stored = fmt::format("{} \"", target.kind->stored().qualified);
  if (target.kind->form && refusal.message.starts_with(stored)) {
    refusal.message.replace(0, stored.size(), fmt::format("{} \"", target.kind->resource->qualified));
  }
  return refusal;
}

Refusal not_found(const Target& target) {
  const cluster::Resource& resource = *target.kind->resource;
  return refusal_for(target, {Code::kNotFound, fmt::format("{} \"{}\" not found", resource.qualified, target.name)});
}

Outcome<void> settle_identity(const Target& target, doc::Value& body) {
  doc::Object* object = body.if_object();
  if (!object) return std::unexpected(bad_request("the body must be an object"));
  const cluster::Resource& resource = *target.kind->resource;
  const auto kind = doc::find_string(body, "kind");
  const auto version = doc::find_string(body, "apiVersion");
  if (auto same = check_type(*target.kind, body, kind, version); !same) return same;
  const doc::Value* given_metadata = object->if_contains("metadata");
  if (given_metadata && !given_metadata->is_object() && !given_metadata->is_null()) {
    return std::unexpected(
        bad_request(fmt::format("{0} in version \"{1}\" cannot be handled as a {0}: metadata: must be "
                                "an object, not {2}",
                                resource.kind, target.kind->version, doc::to_json(*given_metadata))));
  }
  (*object)["kind"] = resource.kind;
  (*object)["apiVersion"] = target.kind->api_version();
  doc::Object& metadata = doc::ensure_object(*object, "metadata");
  const auto given = doc::find_string(body, "metadata", "namespace");
  if (!resource.namespaced) {
    metadata.erase("namespace");
  } else if (!given.empty() && given != target.ns) {
    return std::unexpected(
        bad_request(fmt::format("the namespace of the provided object does not match the namespace sent on the "
                                "request")));
  } else {
    metadata["namespace"] = target.ns;
  }
  if (target.name.empty()) return {};
  const auto name = doc::find_string(body, "metadata", "name");
  if (!name.empty() && name != target.name) {
    return std::unexpected(bad_request(
        fmt::format("the name of the object ({}) does not match the name on the URL ({})", name, target.name)));
  }
  metadata["name"] = target.name;
  return {};
}

void keep_other_part(const Target& target, doc::Value& object, const doc::Value& before) {
  doc::Object& metadata = doc::ensure_object(object.get_object(), "metadata");
  if (!metadata.contains("uid")) metadata["uid"] = doc::find_string(before, "metadata", "uid");
  if (target.kind->resource == &cluster::kNamespaces) keep_finalizers(target, object, before);
  if (target.subresource == "finalize") return;
  if (target.kind->resource == &cluster::kPods) keep_priority(object, before);
  if (target.kind->resource == &cluster::kServices && target.subresource.empty()) keep_allocated(object, before);
  if (target.subresource == "status") {
    const doc::Value* status = doc::find(object, "status");
    doc::Value kept = before;
    // Through the status of Kubernetes' own kinds one reaches their metadata too, of others the owners of fields alone.
    if (target.kind->is_struct()) {
      take_member(kept, object, "metadata");
    } else if (const doc::Value* owners = doc::find(object, "metadata", "managedFields")) {
      doc::ensure_object(kept.get_object(), "metadata")["managedFields"] = *owners;
    }
    if (status) {
      kept.get_object()["status"] = *status;
    } else {
      kept.get_object().erase("status");
    }
    // That a status was written to this very state can still be demanded.
    const doc::Value* version = doc::find(object, "metadata", "resourceVersion");
    doc::ensure_object(kept.get_object(), "metadata")["resourceVersion"] = version ? *version : doc::Value();
    object = std::move(kept);
  } else if (target.kind->has_status) {
    take_member(object, before, "status");
  }
}

Outcome<void> check_uid(const Target& target, const doc::Value& body, const doc::Value& before) {
  const auto given = doc::find_string(body, "metadata", "uid");
  const auto known = doc::find_string(before, "metadata", "uid");
  if (given.empty() || given == known) return {};
  const cluster::Resource& resource = *target.kind->resource;
  const std::string place = target.ns.empty() ? target.name : target.ns + "/" + target.name;
  return std::unexpected(refusal_for(
      target, {Code::kAborted,
               fmt::format("Operation cannot be fulfilled on {} \"{}\": StorageError: invalid object, Code: 4, Key: "
                           "/registry/{}/{}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in "
                           "precondition: {}, UID in object meta: {}",
                           resource.qualified, target.name, resource.plural, place, given, known)}));
}

Outcome<void> check_same_place(const Target& target, const doc::Value& object) {
  const auto name = doc::find_string(object, "metadata", "name");
  if (!name.empty() && name != target.name) {
    return std::unexpected(bad_request(
        fmt::format("the name of the object ({}) does not match the name on the URL ({})", name, target.name)));
  }
  const auto ns = doc::find_string(object, "metadata", "namespace");
  if (ns.empty() || target.ns.empty() || ns == target.ns) return {};
  return std::unexpected(
      bad_request("the namespace of the provided object does not match the namespace sent on the request"));
}

Outcome<void> check_declared(const Target& target, const doc::Value& config) {
  if (!target.kind->is_struct() && !target.kind->custom) return {};
  const std::string version =
      target.kind->resource->group.empty() ? "/" + target.kind->version : target.kind->api_version();
  return check_declared(
      *target.kind->type, config,
      fmt::format("{}/{}; {}, Kind={}", target.ns, target.name, version, target.kind->resource->kind));
}

Outcome<void> check_scale_declared(const doc::Value& config) {
  return check_declared(scale_type(), config,
                        fmt::format("{}/{}; {}, Kind=Scale", doc::find_string(config, "metadata", "namespace"),
                                    doc::find_string(config, "metadata", "name"), kScaleVersion));
}

Outcome<void> settle_scale(const Target& target, doc::Value& scale) {
  auto settled = check_scale_type(scale);
  if (settled) settled = check_same_place(target, scale);
  if (!settled) return settled;
  doc::Object& object = scale.get_object();
  object["kind"] = "Scale";
  object["apiVersion"] = kScaleVersion;
  doc::ensure_object(object, "metadata")["name"] = target.name;
  return {};
}

FieldWriter scale_writer(const WriteOptions& options, Time now) {
  return {.manager = options.field_manager,
          .api_version = kScaleVersion,
          .kind = "Scale",
          .subresource = "scale",
          .time = now,
          .type = &scale_type()};
}

FieldWriter writer_of(const Target& target, const WriteOptions& options, const std::string& api_version, Time now) {
  FieldWriter writer{.manager = options.field_manager,
                     .api_version = api_version,
                     .kind = target.kind->resource->kind,
                     .subresource = target.subresource,
                     .time = now,
                     .type = target.kind->type,
                     .alike = target.kind->custom != nullptr};
  if (&target.kind->stored() == &cluster::kEvents) rules_of(*target.kind->resource).fill(writer.empty);
  if (target.kind->has_status) writer.reset = reset_fields(api_version, writer.kind, target.subresource);
  return writer;
}

void track(const Target& target, const WriteOptions& options, const doc::Value* live, doc::Value& object, Time now) {
  if (options.field_manager.empty()) return;
  const std::string api_version = target.kind->api_version();
  track_update(live, object, writer_of(target, options, api_version, now));
  if (live && differs_in_times_only(*live, object)) object = *live;
}

void warn(const Target& target, const doc::Value& object, const doc::Value* before, Warnings& warnings) {
  const KindRules& rules = rules_of(*target.kind->resource);
  if (!before && !rules.warning.empty()) warnings.emplace_back(rules.warning);
  if (rules.warn && target.subresource.empty()) rules.warn(object, before, warnings);
}

bool is_scale(const Target& target) {
  return target.subresource == "scale";
}

cluster::Object without_version(doc::Value object) {
  doc::ensure_object(object.get_object(), "metadata").erase("resourceVersion");
  return std::make_shared<const doc::Value>(std::move(object));
}

cluster::Object with_version(doc::Value object, const std::string& version) {
  doc::ensure_object(object.get_object(), "metadata")["resourceVersion"] = version;
  return std::make_shared<const doc::Value>(std::move(object));
}

Outcome<cluster::Object> served(const Target& target, Result<cluster::Object> result) {
  if (!result) return std::unexpected(refusal_for(target, result.error()));
  cluster::Object object = as_served(*target.kind, *result);
  if (is_scale(target)) return std::make_shared<const doc::Value>(scale_of(*object, scale_paths(*target.kind)));
  return object;
}

}  // namespace tiphys::objects

#include "argo/new_object.h"

#include <fmt/format.h>

namespace tiphys::argo {

Result<doc::Value> take_object(Work& work, std::string_view field, const cluster::Resource& resource) {
  doc::Value* given = work.request().if_contains(field);
  if (!given || !given->is_object()) {
    return fail(Code::kInvalidArgument, fmt::format("{}: the request has no {}", field, resource.kind));
  }
  doc::Value object = std::move(*given);
  doc::Object& root = object.get_object();
  const std::string_view kind = doc::find_string(object, "kind");
  if (!kind.empty() && kind != resource.kind) {
    return fail(Code::kInvalidArgument, fmt::format("{}.kind: \"{}\" is no {}", field, kind, resource.kind));
  }
  root["apiVersion"] = resource.api_version();
  root["kind"] = resource.kind;
  if (!resource.namespaced) return object;
  const std::string ns = work.text("namespace");
  doc::Object& metadata = doc::ensure_object(root, "metadata");
  const std::string_view own = doc::find_string(object, "metadata", "namespace");
  if (!own.empty() && own != ns && !ns.empty()) {
    return fail(Code::kInvalidArgument,
                fmt::format("the namespace of the provided object does not match the namespace sent on the request: "
                            "metadata.namespace is \"{}\", the request is for \"{}\"",
                            own, ns));
  }
  if (own.empty()) metadata["namespace"] = ns;
  return object;
}

bool is_dry_run(const Work& work) {
  const doc::Value* asked = doc::find(work.member("createOptions"), "dryRun");
  return asked && asked->is_array() && !asked->get_array().empty();
}

}  // namespace tiphys::argo

#include "objects/refusal.h"

#include <fmt/format.h>

#include "cluster/api_status.h"

namespace tiphys::objects {
namespace {

doc::Array causes_of(const schema::FieldErrors& errors) {
  doc::Array causes;
  for (const schema::FieldError& error : errors) {
    causes.push_back(doc::Object{{"reason", error.reason()}, {"message", error.message}, {"field", error.field}});
  }
  return causes;
}

}  // namespace

Refusal refusal_of(const Error& error, const cluster::Resource* resource, std::string_view name) {
  Refusal refusal{cluster::http_code(error.code), std::string(cluster::status_reason(error.code)), error.message};
  const bool told = error.code == Code::kNotFound || error.code == Code::kAlreadyExists ||
                    error.code == Code::kAborted || error.code == Code::kPermissionDenied;
  if (!resource || !told) return refusal;
  if (!name.empty()) refusal.details["name"] = name;
  if (!resource->group.empty()) refusal.details["group"] = resource->group;
  refusal.details["kind"] = resource->plural;
  return refusal;
}

Refusal refuse_invalid(const cluster::Resource& resource, std::string_view name, const schema::FieldErrors& errors) {
  const std::string kind =
      resource.group.empty() ? std::string(resource.kind) : fmt::format("{}.{}", resource.kind, resource.group);
  Refusal refusal{422, "Invalid", fmt::format("{} \"{}\" is invalid: {}", kind, name, schema::text_of(errors))};
  if (!name.empty()) refusal.details["name"] = name;
  if (!resource.group.empty()) refusal.details["group"] = resource.group;
  refusal.details["kind"] = resource.kind;
  refusal.details["causes"] = causes_of(errors);
  return refusal;
}

Refusal refuse_options(std::string_view kind, const schema::FieldErrors& errors) {
  return {422,
          "Invalid",
          fmt::format("{}.meta.k8s.io \"\" is invalid: {}", kind, schema::text_of(errors)),
          {{"group", "meta.k8s.io"}, {"kind", kind}, {"causes", causes_of(errors)}}};
}

Refusal bad_request(std::string message) {
  return {400, "BadRequest", std::move(message)};
}

doc::Value status_of(const Refusal& refusal) {
  doc::Object status{{"kind", "Status"},           {"apiVersion", "v1"},         {"metadata", doc::Object()},
                     {"status", "Failure"},        {"message", refusal.message}, {"reason", refusal.reason},
                     {"details", refusal.details}, {"code", refusal.code}};
  if (refusal.reason.empty()) status.erase("reason");
  if (refusal.details.empty() && !refusal.bare) status.erase("details");
  return status;
}

}  // namespace tiphys::objects

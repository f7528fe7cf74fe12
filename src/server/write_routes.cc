#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cluster/patch.h"
#include "doc/duplicate_fields.h"
#include "server/exchange.h"
#include "server/options.h"

namespace tiphys::server {
namespace {

using objects::Outcome;

objects::Reply<objects::Written> reply_written(const ExchangePtr& exchange) {
  return [exchange](Outcome<objects::Written> written) {
    if (!written) return reply_refusal(*exchange, written.error());
    reply_document(*exchange, written->created ? 201 : 200, *written->object, written->warnings);
  };
}

Outcome<doc::Value> body_of(const Exchange& exchange) {
  return read_document(exchange.request.content_type, exchange.request.body);
}

/// What JSON has twice is told, or refused. A YAML document has nothing twice, nor a message.
Handled check_duplicates(Exchange& exchange, const objects::Target& target, objects::FieldValidation validation) {
  if (validation == objects::FieldValidation::kIgnore || !is_json(exchange.request.content_type)) return {};
  std::vector<std::string> complaints;
  for (const std::string& field : doc::duplicate_fields(exchange.request.body)) {
    complaints.push_back(fmt::format("duplicate field \"{}\"", field));
  }
  if (complaints.empty() || validation == objects::FieldValidation::kWarn) {
    std::ranges::move(complaints, std::back_inserter(exchange.warnings));
    return {};
  }
  const std::string why = "strict decoding error: " + join(complaints, ", ");
  if (exchange.request.method == "PATCH") {
    return std::unexpected(objects::Refusal{422, "Invalid", "error decoding patch: " + why});
  }
  return std::unexpected(objects::bad_request(fmt::format("{0} in version \"{1}\" cannot be handled as a {0}: {2}",
                                                          target.kind->resource->kind, target.kind->version, why)));
}

/// Kinds whose deleted objects are answered with; of others a Status tells.
bool returns_deleted(const cluster::Resource& resource) {
  for (const cluster::Resource* one : {&cluster::kPods, &cluster::kServices, &cluster::kServiceAccounts,
                                       &cluster::kPersistentVolumeClaims, &cluster::kNamespaces}) {
    if (one == &resource) return true;
  }
  return false;
}

doc::Value success(const objects::Target& target, const doc::Value& object) {
  doc::Object details{{"name", target.name}};
  if (!target.kind->resource->group.empty()) details["group"] = target.kind->resource->group;
  details["kind"] = target.kind->resource->plural;
  details["uid"] = doc::find_string(object, "metadata", "uid");
  return doc::Object{{"kind", "Status"},
                     {"apiVersion", "v1"},
                     {"metadata", doc::Object()},
                     {"status", "Success"},
                     {"details", std::move(details)}};
}

}  // namespace

namespace {

Handled apply_object(const ExchangePtr& exchange, const objects::Target& target) {
  TIPHYS_TRY(auto options, write_options(*exchange, "PatchOptions", true));
  TIPHYS_TRY(doc::Value config, body_of(*exchange));
  exchange->api().apply(target, std::move(config), std::move(options), reply_written(exchange));
  return {};
}

}  // namespace

Handled create_object(const ExchangePtr& exchange, const objects::Target& target) {
  if (target.kind->resource->namespaced && target.ns.empty()) {
    return refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  }
  TIPHYS_TRY(const auto options, write_options(*exchange, "CreateOptions"));
  TIPHYS_TRY(doc::Value body, body_of(*exchange));
  TIPHYS_CHECK_OK(check_duplicates(*exchange, target, options.validation));
  exchange->api().create(target, std::move(body), options, reply_written(exchange));
  return {};
}

Handled create_part(const ExchangePtr& exchange, const objects::Target& target) {
  TIPHYS_TRY(const auto options, write_options(*exchange, "CreateOptions"));
  doc::Value body = doc::Object();
  if (!exchange->request.body.empty()) {
    TIPHYS_TRY(body, body_of(*exchange));
  }
  exchange->api().create_part(target, std::move(body), options, reply_written(exchange));
  return {};
}

Handled update_object(const ExchangePtr& exchange, const objects::Target& target) {
  TIPHYS_TRY(const auto options, write_options(*exchange, "UpdateOptions"));
  TIPHYS_TRY(doc::Value body, body_of(*exchange));
  TIPHYS_CHECK_OK(check_duplicates(*exchange, target, options.validation));
  exchange->api().update(target, std::move(body), options, reply_written(exchange));
  return {};
}

Handled patch_object(const ExchangePtr& exchange, const objects::Target& target) {
  const std::string type = media_type(exchange->request.content_type);
  if (type == "application/apply-patch+yaml") return apply_object(exchange, target);
  const auto patch_type = cluster::patch_type(type);
  const bool custom = target.kind->custom != nullptr;
  if (!patch_type || (custom && patch_type == cluster::PatchType::kStrategic)) {
    return refuse(
        415, "UnsupportedMediaType",
        fmt::format("the body of the request was in an unknown format - accepted media types include: "
                    "application/json-patch+json, application/merge-patch+json, {}application/apply-patch+yaml",
                    custom ? "" : "application/strategic-merge-patch+json, "));
  }
  TIPHYS_TRY(const auto options, write_options(*exchange, "PatchOptions"));
  TIPHYS_TRY(doc::Value patch, body_of(*exchange));
  TIPHYS_CHECK_OK(check_duplicates(*exchange, target, options.validation));
  exchange->api().patch(target, *patch_type, std::move(patch), options, reply_written(exchange));
  return {};
}

Handled remove_object(const ExchangePtr& exchange, const objects::Target& target) {
  TIPHYS_TRY(auto options, delete_options(*exchange));
  exchange->api().remove(target, std::move(options), [exchange, target](Outcome<objects::Removed> removed) {
    if (!removed) return reply_refusal(*exchange, removed.error());
    const bool told = removed->gone && !returns_deleted(*target.kind->resource);
    reply_document(*exchange, 200, told ? success(target, *removed->object) : *removed->object);
  });
  return {};
}

Handled remove_objects(const ExchangePtr& exchange, const objects::Target& target) {
  TIPHYS_TRY(auto options, delete_options(*exchange));
  cluster::ListOptions which;
  TIPHYS_TRY(which.labels, selector_of(*exchange, "labelSelector"));
  TIPHYS_TRY(which.fields, field_selector(*exchange, *target.kind));
  exchange->api().remove_all(target, std::move(which), std::move(options),
                             [exchange, target](Outcome<cluster::List> removed) {
                               if (!removed) return reply_refusal(*exchange, removed.error());
                               reply_list(*exchange, target, *removed);
                             });
  return {};
}

}  // namespace tiphys::server

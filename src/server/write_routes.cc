#include <fmt/format.h>

#include <algorithm>

#include "cluster/patch.h"
#include "server/exchange.h"

namespace tiphys::server {
namespace {

using objects::Outcome;

Outcome<objects::WriteOptions> write_options(const Exchange& exchange) {
  objects::WriteOptions options;
  const Target& query = exchange.query;
  if (query.has("dryRun")) {
    if (query.value("dryRun") != "All") {
      return std::unexpected(objects::bad_request(
          fmt::format("dryRun: Unsupported value: \"{}\": supported values: \"All\"", query.value("dryRun"))));
    }
    options.dry_run = true;
  }
  const std::string_view validation = query.value("fieldValidation");
  if (validation == "Strict") {
    options.validation = objects::FieldValidation::kStrict;
  } else if (validation == "Ignore") {
    options.validation = objects::FieldValidation::kIgnore;
  } else if (!validation.empty() && validation != "Warn") {
    return std::unexpected(objects::bad_request(fmt::format(
        "fieldValidation: Unsupported value: \"{}\": supported values: \"Ignore\", \"Strict\", \"Warn\"", validation)));
  }
  options.ensure_namespace = query.flag("ensureNamespace");
  options.force = query.flag("force");
  // The plane's own commands, at its socket, own no fields.
  options.field_manager = query.value("fieldManager");
  if (options.field_manager.empty() && exchange.request.caller) {
    options.field_manager = exchange.request.user_agent.substr(0, exchange.request.user_agent.find('/'));
    if (options.field_manager.empty()) options.field_manager = "unknown";
  }
  constexpr std::size_t kMostManagerBytes = 128;
  if (options.field_manager.size() > kMostManagerBytes) {
    return std::unexpected(objects::bad_request("fieldManager: Too long: may not be more than 128 bytes"));
  }
  return options;
}

objects::Reply<objects::Written> reply_written(const ExchangePtr& exchange) {
  return [exchange](Outcome<objects::Written> written) {
    if (!written) return reply_refusal(*exchange, written.error());
    reply_document(*exchange, written->created ? 201 : 200, *written->object, std::move(written->warnings));
  };
}

Outcome<doc::Value> body_of(const Exchange& exchange) {
  return read_document(exchange.request.content_type, exchange.request.body);
}

/// `orphanDependents` is the old way to say Orphan.
Outcome<cluster::Propagation> propagation_of(std::string_view policy) {
  if (policy.empty()) return cluster::Propagation::kDefault;
  if (policy == "Background") return cluster::Propagation::kBackground;
  if (policy == "Foreground") return cluster::Propagation::kForeground;
  if (policy == "Orphan") return cluster::Propagation::kOrphan;
  return std::unexpected(objects::bad_request(fmt::format(
      "propagationPolicy: Unsupported value: \"{}\": supported values: \"Background\", \"Foreground\", \"Orphan\"",
      policy)));
}

Outcome<objects::RemoveOptions> delete_options(const Exchange& exchange) {
  objects::RemoveOptions options;
  TIPHYS_TRY(options.propagation, propagation_of(exchange.query.value("propagationPolicy")));
  if (exchange.query.flag("orphanDependents")) options.propagation = cluster::Propagation::kOrphan;
  TIPHYS_TRY(options.grace_seconds, number_of<int>(exchange, "gracePeriodSeconds", -1));
  options.dry_run = exchange.query.value("dryRun") == "All";
  if (exchange.request.body.empty()) return options;
  TIPHYS_TRY(const doc::Value body, body_of(exchange));
  options.uid = doc::find_string(body, "preconditions", "uid");
  options.resource_version = doc::find_string(body, "preconditions", "resourceVersion");
  if (const doc::Value* grace = doc::find(body, "gracePeriodSeconds"); grace && grace->is_int64()) {
    options.grace_seconds = static_cast<int>(std::clamp<std::int64_t>(grace->get_int64(), 0, 1 << 30));
  }
  if (const auto policy = doc::find_string(body, "propagationPolicy"); !policy.empty()) {
    TIPHYS_TRY(options.propagation, propagation_of(policy));
  }
  if (const doc::Value* orphan = doc::find(body, "orphanDependents"); orphan && orphan->is_bool()) {
    options.propagation = orphan->get_bool() ? cluster::Propagation::kOrphan : cluster::Propagation::kBackground;
  }
  if (const doc::Value* dry = doc::find(body, "dryRun"); dry && dry->is_array() && !dry->get_array().empty()) {
    options.dry_run = true;
  }
  return options;
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
  TIPHYS_TRY(auto options, write_options(*exchange));
  if (!exchange->query.has("fieldManager")) options.field_manager.clear();
  TIPHYS_TRY(doc::Value config, body_of(*exchange));
  exchange->api().apply(target, std::move(config), std::move(options), reply_written(exchange));
  return {};
}

}  // namespace

Handled create_object(const ExchangePtr& exchange, const objects::Target& target) {
  if (target.kind->resource->namespaced && target.ns.empty()) {
    return refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  }
  TIPHYS_TRY(const auto options, write_options(*exchange));
  TIPHYS_TRY(doc::Value body, body_of(*exchange));
  exchange->api().create(target, std::move(body), options, reply_written(exchange));
  return {};
}

Handled create_part(const ExchangePtr& exchange, const objects::Target& target) {
  TIPHYS_TRY(const auto options, write_options(*exchange));
  doc::Value body = doc::Object();
  if (!exchange->request.body.empty()) {
    TIPHYS_TRY(body, body_of(*exchange));
  }
  exchange->api().create_part(target, std::move(body), options, reply_written(exchange));
  return {};
}

Handled update_object(const ExchangePtr& exchange, const objects::Target& target) {
  TIPHYS_TRY(const auto options, write_options(*exchange));
  TIPHYS_TRY(doc::Value body, body_of(*exchange));
  exchange->api().update(target, std::move(body), options, reply_written(exchange));
  return {};
}

Handled patch_object(const ExchangePtr& exchange, const objects::Target& target) {
  const std::string type = media_type(exchange->request.content_type);
  if (type == "application/apply-patch+yaml") return apply_object(exchange, target);
  const auto patch_type = cluster::patch_type(type);
  if (!patch_type) {
    return refuse(415, "UnsupportedMediaType",
                  "the body of the request was in an unknown format - accepted media types include: "
                  "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
                  "application/apply-patch+yaml");
  }
  TIPHYS_TRY(const auto options, write_options(*exchange));
  TIPHYS_TRY(doc::Value patch, body_of(*exchange));
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
  TIPHYS_TRY(which.fields, selector_of(*exchange, "fieldSelector"));
  exchange->api().remove_all(target, std::move(which), std::move(options),
                             [exchange, target](Outcome<cluster::List> removed) {
                               if (!removed) return reply_refusal(*exchange, removed.error());
                               reply_list(*exchange, target, *removed);
                             });
  return {};
}

}  // namespace tiphys::server

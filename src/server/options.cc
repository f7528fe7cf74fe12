#include "server/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/rare_resources.h"
#include "doc/utf8.h"
#include "objects/other_form.h"

namespace tiphys::server {
namespace {

using objects::Outcome;
using schema::FieldErrors;

constexpr std::size_t kMostManagerBytes = 128;

Outcome<void> settle(std::string_view kind, const FieldErrors& errors) {
  if (errors.empty()) return {};
  return std::unexpected(objects::refuse_options(kind, errors));
}

void check_manager(std::string_view manager, FieldErrors& errors) {
  if (manager.size() > kMostManagerBytes) {
    errors.push_back({schema::FieldError::Kind::kTooLong, "fieldManager",
                      fmt::format("Too long: may not be more than {} bytes", kMostManagerBytes)});
  }
  for (std::size_t i = 0; i < manager.size(); ++i) {
    const auto c = static_cast<unsigned char>(manager[i]);
    if (c >= 0x20 && c != 0x7f) continue;
    return errors.push_back(schema::invalid("fieldManager", doc::Value(manager),
                                            fmt::format("invalid character U+{:04X} (at position {})", c, i)));
  }
}

void check_dry_run(const doc::Array& asked, FieldErrors& errors) {
  if (std::ranges::all_of(asked, [](const doc::Value& one) { return one == "All"; })) return;
  errors.push_back(schema::not_supported("dryRun", asked, {"All"}));
}

/// Every value of a parameter that may be there several times.
doc::Array asked_dry_runs(const Exchange& exchange) {
  doc::Array asked;
  if (exchange.query.has("dryRun")) asked.emplace_back(exchange.query.value("dryRun"));
  return asked;
}

cluster::Propagation propagation_of(std::string_view policy, FieldErrors& errors) {
  if (policy == "Background") return cluster::Propagation::kBackground;
  if (policy == "Foreground") return cluster::Propagation::kForeground;
  if (policy == "Orphan") return cluster::Propagation::kOrphan;
  if (!policy.empty()) {
    errors.push_back(
        schema::not_supported("propagationPolicy", doc::Value(policy), {"Foreground", "Background", "Orphan", "nil"}));
  }
  return cluster::Propagation::kDefault;
}

/// A field as a query names it, and where an object has it; "" where both are the same.
struct SelectableField {
  std::string_view name;
  std::string_view path{};
  SelectableField(const char* both) : name(both) {}
  SelectableField(std::string_view named, std::string_view at) : name(named), path(at) {}
};

struct SelectableFields {
  const cluster::Resource* resource;
  std::vector<SelectableField> fields;
};

/// By what objects of a kind are selected beside their names; null where there is no more.
const SelectableFields* selectable_fields(const cluster::Resource& resource) {
  static const SelectableFields kKnown[] = {
      {&cluster::kPods,
       {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.nominatedNodeName"}},
      {&cluster::kSecrets, {"type"}},
      {&cluster::kNamespaces, {"status.phase"}},
      {&cluster::kNodes, {"spec.unschedulable"}},
      {&cluster::kServices, {"spec.clusterIP", "spec.type"}},
      {&cluster::kJobs, {"status.successful"}},
      {&cluster::kReplicaSets, {"status.replicas"}},
      {&cluster::kReplicationControllers, {"status.replicas"}},
      {&cluster::kEvents,
       {"involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        {"source", "source.component|reportingComponent"},
        "type"}},
      {&objects::kNewEvents,
       {{"regarding.kind", "involvedObject.kind"},
        {"regarding.namespace", "involvedObject.namespace"},
        {"regarding.name", "involvedObject.name"},
        {"regarding.uid", "involvedObject.uid"},
        {"regarding.apiVersion", "involvedObject.apiVersion"},
        {"regarding.resourceVersion", "involvedObject.resourceVersion"},
        {"regarding.fieldPath", "involvedObject.fieldPath"},
        "reason",
        {"reportingController", "reportingComponent"},
        "type"}},
  };
  const auto* found = std::ranges::find(kKnown, &resource, &SelectableFields::resource);
  return found == std::end(kKnown) ? nullptr : found;
}

/// The options as one document, as a client may send them in the body or, in part, in the query.
Outcome<doc::Object> deletion_document(const Exchange& exchange) {
  if (!exchange.request.body.empty()) {
    TIPHYS_TRY(doc::Value body, read_document(exchange.request.content_type, exchange.request.body));
    if (!body.is_object()) return std::unexpected(objects::bad_request("the options of a deletion must be an object"));
    const auto kind = doc::find_string(body, "kind");
    if (!kind.empty() && kind != "DeleteOptions") {
      return std::unexpected(objects::Refusal{500, "",
                                              fmt::format("no kind \"{}\" is registered for version \"{}\" in scheme "
                                                          "\"pkg/runtime/scheme.go:110\"",
                                                          kind, doc::find_string(body, "apiVersion"))});
    }
    return std::move(body.get_object());
  }
  doc::Object options;
  if (exchange.query.has("gracePeriodSeconds")) {
    TIPHYS_TRY(options["gracePeriodSeconds"], number_of<std::int64_t>(exchange, "gracePeriodSeconds", 0));
  }
  if (exchange.query.has("propagationPolicy")) options["propagationPolicy"] = exchange.query.value("propagationPolicy");
  if (exchange.query.has("orphanDependents")) options["orphanDependents"] = exchange.query.flag("orphanDependents");
  if (auto asked = asked_dry_runs(exchange); !asked.empty()) options["dryRun"] = std::move(asked);
  return options;
}

}  // namespace

Outcome<objects::WriteOptions> write_options(const Exchange& exchange, std::string_view kind, bool apply) {
  objects::WriteOptions options;
  const Target& query = exchange.query;
  FieldErrors errors;
  const std::string_view manager = query.value("fieldManager");
  if (kind == "PatchOptions") {
    if (apply && manager.empty()) errors.push_back(schema::required("fieldManager", "is required for apply patch"));
    if (!apply && query.has("force")) {
      errors.push_back(schema::forbidden("force", "may not be specified for non-apply patch"));
    }
  }
  check_manager(manager, errors);
  const doc::Array dry_runs = asked_dry_runs(exchange);
  check_dry_run(dry_runs, errors);
  const std::string_view validation = query.value("fieldValidation");
  if (validation == "Strict") {
    options.validation = objects::FieldValidation::kStrict;
  } else if (validation == "Ignore") {
    options.validation = objects::FieldValidation::kIgnore;
  } else if (!validation.empty() && validation != "Warn") {
    errors.push_back(
        schema::not_supported("fieldValidation", doc::Value(validation), {"", "Ignore", "Strict", "Warn"}));
  }
  TIPHYS_CHECK_OK(settle(kind, errors));
  options.dry_run = !dry_runs.empty();
  options.ensure_namespace = query.flag("ensureNamespace");
  options.force = query.flag("force");
  // The plane's own commands, at its socket, own no fields.
  options.field_manager = manager;
  if (!apply && options.field_manager.empty() && exchange.request.caller) {
    options.field_manager = exchange.request.user_agent.substr(0, exchange.request.user_agent.find('/'));
    if (options.field_manager.size() > kMostManagerBytes) options.field_manager.resize(kMostManagerBytes);
    if (options.field_manager.empty()) options.field_manager = "unknown";
  }
  return options;
}

Outcome<objects::RemoveOptions> delete_options(const Exchange& exchange) {
  TIPHYS_TRY(const doc::Value document, deletion_document(exchange));
  objects::RemoveOptions options;
  FieldErrors errors;
  const auto policy = doc::find_string(document, "propagationPolicy");
  const doc::Value* orphan = doc::find(document, "orphanDependents");
  if (orphan && orphan->is_bool() && !policy.empty()) {
    errors.push_back(schema::invalid("propagationPolicy", doc::Value(policy),
                                     "orphanDependents and deletionPropagation cannot be both set"));
  }
  options.propagation = propagation_of(policy, errors);
  if (orphan && orphan->is_bool() && policy.empty()) {
    options.propagation = orphan->get_bool() ? cluster::Propagation::kOrphan : cluster::Propagation::kBackground;
  }
  if (const doc::Value* dry = doc::find(document, "dryRun"); dry && dry->is_array()) {
    check_dry_run(dry->get_array(), errors);
    options.dry_run = !dry->get_array().empty();
  }
  TIPHYS_CHECK_OK(settle("DeleteOptions", errors));
  options.uid = doc::find_string(document, "preconditions", "uid");
  options.resource_version = doc::find_string(document, "preconditions", "resourceVersion");
  if (const doc::Value* grace = doc::find(document, "gracePeriodSeconds"); grace && !grace->is_null()) {
    if (!grace->is_int64()) {
      return std::unexpected(objects::bad_request("gracePeriodSeconds must be a whole number of seconds"));
    }
    // As Kubernetes takes it: less than nothing is the shortest that there is.
    const std::int64_t seconds = grace->get_int64() < 0 ? 1 : grace->get_int64();
    options.grace_seconds = static_cast<int>(std::min<std::int64_t>(seconds, 1 << 30));
  }
  return options;
}

Outcome<std::uint64_t> list_version(const Exchange& exchange, bool watch) {
  const Target& query = exchange.query;
  const std::string_view version = query.value("resourceVersion");
  const std::string_view match = query.value("resourceVersionMatch");
  const bool continued = !query.value("continue").empty();
  FieldErrors errors;
  const auto forbid = [&](std::string field, std::string_view why) {
    errors.push_back(schema::forbidden(std::move(field), why));
  };
  if (watch) {
    const bool initial = query.has("sendInitialEvents");
    if (!match.empty() && !initial) {
      forbid("resourceVersionMatch",
             "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    if (initial && match != "NotOlderThan" && !continued) {
      forbid("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if (!match.empty() && continued) {
      forbid("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
    } else if (!match.empty() && match != "NotOlderThan") {
      errors.push_back(schema::not_supported("resourceVersionMatch", doc::Value(match), {"NotOlderThan"}));
    }
  } else {
    if (query.has("sendInitialEvents")) forbid("sendInitialEvents", "sendInitialEvents is forbidden for list");
    if (!match.empty() && continued) {
      forbid("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
    } else if (!match.empty() && version.empty()) {
      forbid("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
    } else if (match == "Exact" && version == "0") {
      forbid("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    } else if (!match.empty() && match != "Exact" && match != "NotOlderThan") {
      errors.push_back(schema::not_supported("resourceVersionMatch", doc::Value(match), {"Exact", "NotOlderThan", ""}));
    }
  }
  TIPHYS_CHECK_OK(settle("ListOptions", errors));
  const auto number = version_number(version);
  if (!number && watch) return std::unexpected(objects::Refusal{500, "", number.error().message});
  if (!number) return std::unexpected(objects::bad_request("invalid resource version: " + number.error().message));
  if (!watch && continued && *number != 0) {
    return std::unexpected(objects::bad_request("specifying resource version is not allowed when using continue"));
  }
  return *number;
}

Outcome<cluster::Selector> field_selector(const Exchange& exchange, const objects::Kind& kind) {
  TIPHYS_TRY(cluster::Selector selector, selector_of(exchange, "fieldSelector"));
  // Argo's kinds are selected by whatever they hold.
  if (!kind.is_struct() && !kind.custom) return selector;
  const SelectableFields* more = selectable_fields(*kind.resource);
  for (const cluster::Requirement& one : selector.requirements()) {
    if (one.key == "metadata.name" || one.key == "metadata.namespace") continue;
    if (more && std::ranges::find(more->fields, one.key, &SelectableField::name) != more->fields.end()) continue;
    if (more || kind.custom) {
      return std::unexpected(objects::bad_request("field label not supported: " + one.key));
    }
    return std::unexpected(objects::bad_request(
        fmt::format("\"{}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"", one.key)));
  }
  if (!more) return selector;
  return selector.renamed([&](std::string_view key) {
    const auto field = std::ranges::find(more->fields, key, &SelectableField::name);
    return field == more->fields.end() || field->path.empty() ? key : field->path;
  });
}

}  // namespace tiphys::server

#include "api/parse.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "api/fields.h"
#include "api/join.h"

namespace tiphys::api {
namespace {

constexpr std::string_view kApiVersion = "argoproj.io/v1alpha1";
constexpr std::string_view kKinds[] = {"Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate"};
constexpr std::string_view kOtherKinds[] = {"CronWorkflow", "WorkflowEventBinding", "WorkflowTaskSet",
                                            "WorkflowTaskResult", "WorkflowArtifactGCTask"};

constexpr Field<TemplateRef> kWorkflowTemplateRefFields[] = {
    field<&TemplateRef::name>("name"),
    field<&TemplateRef::cluster_scope>("clusterScope"),
};

void read_workflow_template_ref(const Place& place, WorkflowSpec& out) {
  TemplateRef& ref = out.workflow_template_ref.emplace();
  read_object<TemplateRef>(place, ref, kWorkflowTemplateRefFields);
  if (ref.name.empty()) place.error(place.name() + ".name is required");
}

constexpr Field<Unread> kLabelFromFields[] = {{"expression", Handling::kRead, check_as<std::string>}};

constexpr Field<Unread> kWorkflowMetadataFields[] = {
    {"labels", Handling::kRead, check_as<std::map<std::string, std::string>>},
    {"annotations", Handling::kRead, check_as<std::map<std::string, std::string>>},
    {"labelsFrom", Handling::kRead,
     [](const Place& place, Unread&) {
       if (!expect_object(place)) return;
       for (const auto& [name, from] : place.value().get_object()) {
         check_object(place.member(name, from), kLabelFromFields);
       }
     }},
};

/// Labels and annotations that the workflow gives itself as it begins.
void check_workflow_metadata(const Place& place) {
  check_object(place, kWorkflowMetadataFields);
}

void read_template_defaults(const Place& place, WorkflowSpec& out) {
  Template checked;
  read(place, checked);
  if (place.value().is_object()) out.template_defaults = place.shared();
}

constexpr Field<WorkflowSpec> kSpecFields[] = {
    field<&WorkflowSpec::entrypoint>("entrypoint"),
    field<&WorkflowSpec::arguments>("arguments"),
    field<&WorkflowSpec::templates>("templates"),
    {"onExit", Handling::kRead, [](const Place& place, WorkflowSpec& out) { read_on_exit(place, out.exit); }},
    {"hooks", Handling::kRead, [](const Place& place, WorkflowSpec& out) { read_hooks(place, out.exit, out.hooks); }},
    field<&WorkflowSpec::parallelism>("parallelism"),
    field<&WorkflowSpec::active_deadline_seconds>("activeDeadlineSeconds"),
    field<&WorkflowSpec::retry_strategy>("retryStrategy"),
    field<&WorkflowSpec::synchronization>("synchronization"),
    field<&WorkflowSpec::suspend>("suspend"),
    {"shutdown", Handling::kRead,
     [](const Place& place, WorkflowSpec& out) {
       read(place, out.shutdown);
       if (!out.shutdown.empty() && out.shutdown != "Stop" && out.shutdown != "Terminate") {
         place.error(place.name() + " must be Stop or Terminate");
       }
     }},
    {"workflowTemplateRef", Handling::kRead, read_workflow_template_ref},
    {"templateDefaults", Handling::kRead, read_template_defaults},
    {"workflowMetadata", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_workflow_metadata(place); }},
    field<&WorkflowSpec::service_account_name>("serviceAccountName"),
    field<&WorkflowSpec::priority>("priority"),
    {"volumes", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_volumes(place); }},
    {"podMetadata", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_metadata(place); }},
    {"podSpecPatch", Handling::kRead, check_as<std::string>},
    {"archiveLogs"},
    {"securityContext"},
    {"automountServiceAccountToken"},
    {"nodeSelector", Handling::kCluster},
    {"affinity", Handling::kCluster},
    {"tolerations", Handling::kCluster},
    {"schedulerName", Handling::kCluster},
    {"podPriorityClassName", Handling::kCluster},
    {"imagePullSecrets", Handling::kCluster},
    {"hostNetwork", Handling::kCluster},
    {"hostAliases", Handling::kCluster},
    {"dnsPolicy", Handling::kCluster},
    {"dnsConfig", Handling::kCluster},
    {"podDisruptionBudget", Handling::kCluster},
    {"executor", Handling::kCluster},
    {"podResources", Handling::kCluster},
    {"resourceClaims", Handling::kCluster},
    {"artifactRepositoryRef", Handling::kCluster},
    {"volumeClaimTemplates", Handling::kLater},
    {"volumeClaimGC", Handling::kLater},
    {"ttlStrategy", Handling::kLater},
    {"podGC", Handling::kLater},
    {"artifactGC", Handling::kLater},
    {"metrics", Handling::kLater},
    {"executorPlugins", Handling::kLater},
};

constexpr Field<Workflow> kMetadataFields[] = {
    field<&Workflow::name>("name"),
    field<&Workflow::generate_name>("generateName"),
    field<&Workflow::ns>("namespace"),
    field<&Workflow::uid>("uid"),
    field<&Workflow::labels>("labels"),
    field<&Workflow::annotations>("annotations"),
    {"creationTimestamp", Handling::kRead,
     [](const Place& place, Workflow& out) {
       std::string text;
       read(place, text);
       if (const auto time = parse_rfc3339(text)) {
         out.created = *time;
       } else if (!text.empty()) {
         place.error(fmt::format("{} must be a time like 2026-01-31T12:00:00Z", place.name()));
       }
     }},
    {"resourceVersion"},
    {"generation"},
    {"ownerReferences"},
    {"finalizers"},
    {"managedFields"},
    {"deletionTimestamp"},
    {"deletionGracePeriodSeconds"},
    {"selfLink"},
};

void read_spec(const Place& place, Workflow& out) {
  read_object<WorkflowSpec>(place, out.spec, kSpecFields);
  out.spec.document = place.shared();
}

constexpr Field<Workflow> kWorkflowFields[] = {
    {"apiVersion"},
    {"kind"},
    {"metadata", Handling::kRead,
     [](const Place& place, Workflow& out) { read_object<Workflow>(place, out, kMetadataFields); }},
    {"spec", Handling::kRead, read_spec},
    {"status"},
};

/// True when the document is of a kind that is read here.
bool check_kind(const Place& place, Workflow& out) {
  if (!expect_object(place)) return false;
  const doc::Object& object = place.value().get_object();
  const doc::Value* kind = object.if_contains("kind");
  const std::string_view name = doc::find_string(place.value(), "kind");
  const auto known = std::ranges::find(kKinds, name);
  if (known == std::end(kKinds)) {
    const bool argo = std::ranges::find(kOtherKinds, name) != std::end(kOtherKinds);
    const std::string what =
        !kind  ? "kind is required: Workflow"
        : argo ? fmt::format("kind \"{}\" is not supported yet; use one of: {}", name, fmt::join(kKinds, ", "))
               : fmt::format("kind must be Workflow, not {}", doc::to_json(*kind));
    (kind ? place.member("kind", *kind) : place).error(what);
    return false;
  }
  out.kind = static_cast<Workflow::Kind>(known - std::begin(kKinds));
  const doc::Value* version = object.if_contains("apiVersion");
  if (doc::find_string(place.value(), "apiVersion") == kApiVersion) return true;
  const std::string what = !version ? fmt::format("apiVersion is required: {}", kApiVersion)
                                    : fmt::format("apiVersion must be {}, not {}", kApiVersion, doc::to_json(*version));
  (version ? place.member("apiVersion", *version) : place).error(what);
  return false;
}

/// A copy that leaves out status.nodes, which is kept node by node.
doc::Value without_nodes(const doc::Value& document) {
  const doc::Object* object = document.if_object();
  const doc::Value* status = object ? object->if_contains("status") : nullptr;
  if (!doc::find(document, "status", "nodes")) return document;
  doc::Object copy;
  copy.reserve(object->size());
  for (const auto& [key, value] : *object) {
    if (&value != status) {
      copy.emplace(key, value);
      continue;
    }
    doc::Object rest;
    for (const auto& [name, member] : status->get_object()) {
      if (name != "nodes") rest.emplace(name, member);
    }
    copy.emplace(key, std::move(rest));
  }
  return copy;
}

/// One template with the defaults in it, read anew.
void put_defaults(std::shared_ptr<const Template>& tmpl, const doc::Value& defaults, const std::string& pointer,
                  std::vector<Finding>& findings) {
  Result<doc::Value> merged = with_template_defaults(*tmpl->document, defaults);
  if (!merged) {
    findings.push_back(
        {Finding::Severity::kError, pointer, false,
         fmt::format("templateDefaults cannot be put into template \"{}\": {}", tmpl->name, merged.error().message)});
    return;
  }
  // Warnings were given when the template was read by itself.
  std::vector<Finding> again;
  const auto document = std::make_shared<const doc::Value>(std::move(*merged));
  Reading reading{again, document, {}};
  read(Place(reading, *document), tmpl);
  for (Finding& finding : again) {
    if (!finding.is_error()) continue;
    finding.pointer = pointer + finding.pointer;
    findings.push_back(std::move(finding));
  }
}

void read_stored_templates(const Place& place, Workflow& out) {
  if (!expect_object(place)) return;
  for (const auto& [key, value] : place.value().get_object()) {
    read(place.member(key, value), out.stored_templates[std::string(key)]);
  }
}

/// What the status holds of other objects' templates.
void read_stored(const Place& place, Workflow& out) {
  const doc::Value* status = doc::find(place.value(), "status");
  if (!status || !status->is_object()) return;
  const Place status_place = place.member("status", *status);
  if (const doc::Value* templates = doc::find(*status, "storedTemplates"); templates && !templates->is_null()) {
    read_stored_templates(status_place.member("storedTemplates", *templates), out);
  }
  const doc::Value* spec = doc::find(*status, "storedWorkflowTemplateSpec");
  if (!spec || spec->is_null()) return;
  // Users change these two of their own spec, at any time.
  const bool suspend = out.spec.suspend;
  std::string shutdown = std::move(out.spec.shutdown);
  out.spec = {};
  read_spec(status_place.member("storedWorkflowTemplateSpec", *spec), out);
  out.spec.suspend = suspend;
  out.spec.shutdown = std::move(shutdown);
  out.joined = true;
}

Workflow read_workflow(const doc::Value& document, std::vector<Finding>& findings, bool stored) {
  Workflow workflow;
  workflow.document = std::make_shared<const doc::Value>(without_nodes(document));
  Reading reading{findings, workflow.document, {}};
  const Place place(reading, *workflow.document);
  if (!check_kind(place, workflow)) return workflow;
  if (!doc::find(*workflow.document, "spec")) place.error("spec is required");
  read_object<Workflow>(place, workflow, kWorkflowFields);
  if (stored) read_stored(place, workflow);
  // An object's defaults are not those of the workflows that refer to its templates.
  if (!workflow.is_template() && !any_error(findings)) put_template_defaults(workflow, findings);
  return workflow;
}

}  // namespace

bool any_error(const std::vector<Finding>& findings) {
  return std::ranges::any_of(findings, &Finding::is_error);
}

void put_template_defaults(Workflow& workflow, std::vector<Finding>& findings) {
  if (!workflow.spec.template_defaults) return;
  const doc::Value& defaults = *workflow.spec.template_defaults;
  for (std::size_t i = 0; i < workflow.spec.templates.size(); ++i) {
    put_defaults(workflow.spec.templates[i], defaults, fmt::format("/spec/templates/{}", i), findings);
  }
  for (auto& [key, tmpl] : workflow.stored_templates) put_defaults(tmpl, defaults, "/spec/templateDefaults", findings);
}

Workflow parse_workflow(const doc::Value& document, std::vector<Finding>& findings) {
  return read_workflow(document, findings, false);
}

Workflow parse_resolved_workflow(const doc::Value& document, std::vector<Finding>& findings) {
  return read_workflow(document, findings, true);
}

Result<Workflow> parse_stored_workflow(const doc::Value& document) {
  std::vector<Finding> findings;
  Workflow workflow = parse_resolved_workflow(document, findings);
  for (const Finding& finding : findings) {
    if (!finding.is_error()) continue;
    return fail(Code::kDataLoss, fmt::format("workflow {}/{}: {}", workflow.ns, workflow.name, finding.message));
  }
  return workflow;
}

void set_argument(doc::Value& workflow, std::string_view name, std::string_view value) {
  doc::Object& root = workflow.is_object() ? workflow.get_object() : workflow.emplace_object();
  doc::Object& arguments = doc::ensure_object(doc::ensure_object(root, "spec"), "arguments");
  doc::Value& list = arguments["parameters"];
  doc::Array& parameters = list.is_array() ? list.get_array() : list.emplace_array();
  for (doc::Value& parameter : parameters) {
    if (!parameter.is_object() || doc::find_string(parameter, "name") != name) continue;
    parameter.get_object().erase("valueFrom");
    parameter.get_object()["value"] = boost::json::string(value);
    return;
  }
  parameters.push_back({{"name", boost::json::string(name)}, {"value", boost::json::string(value)}});
}

std::string render_findings(const std::vector<Finding>& findings, const doc::Marks& marks) {
  std::vector<std::pair<doc::Mark, const Finding*>> placed;
  for (const Finding& finding : findings) {
    placed.emplace_back(finding.at_key ? marks.key(finding.pointer) : marks.value(finding.pointer), &finding);
  }
  std::ranges::stable_sort(placed, {}, [](const auto& each) { return std::pair(each.first.line, each.first.column); });
  std::string text;
  for (const auto& [mark, finding] : placed) {
    const bool warning = finding->severity == Finding::Severity::kWarning;
    text += marks.render(mark, (warning ? "warning: " : "") + finding->message);
    text += '\n';
  }
  return text;
}

}  // namespace tiphys::api

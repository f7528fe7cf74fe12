#include "api/parse.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "api/begun_workflow.h"
#include "api/fields.h"
#include "api/join.h"
#include "api/kinds.h"

namespace tiphys::api {
namespace {

constexpr std::string_view kKinds[] = {"Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate"};
constexpr std::string_view kOtherKinds[] = {"WorkflowEventBinding", "WorkflowTaskSet", "WorkflowTaskResult",
                                            "WorkflowArtifactGCTask"};

constexpr Shape kOwners = kubernetes("OwnerReference", Shape::Around::kList);

constexpr Field<Workflow> kMetadataFields[] = {
    field<&Workflow::name>("name", "The object's name; {{workflow.name}}."),
    field<&Workflow::generate_name>("generateName",
                                    "What its name begins with; five letters and digits are put after."),
    field<&Workflow::ns>("namespace", "The namespace; {{workflow.namespace}}."),
    field<&Workflow::uid>("uid", "Given by the store; {{workflow.uid}}."),
    field<&Workflow::labels>("labels", "{{workflow.labels.x}}; lists select by them."),
    field<&Workflow::annotations>("annotations", "{{workflow.annotations.x}}."),
    {"creationTimestamp", Handling::kRead,
     [](const Place& place, Workflow& out) {
       std::string text;
       read(place, text);
       if (const auto time = parse_rfc3339(text)) {
         out.created = *time;
       } else if (!text.empty()) {
         place.error(fmt::format("{} must be a time like 2026-01-31T12:00:00Z", place.name()));
       }
     },
     "Given by the store; {{workflow.creationTimestamp}}.", &kString},
    {"resourceVersion", Handling::kCarry, nullptr, "Given by the store: changes with each change.", &kString},
    {"generation", Handling::kCarry, nullptr, "Given by the store.", &kInteger},
    {"ownerReferences", Handling::kCarry, nullptr, "Objects with which this one goes.", &kOwners},
    {"finalizers", Handling::kCarry, nullptr, "Who must agree before it is deleted.", &kStrings},
    {"managedFields", Handling::kCarry, nullptr, "Who wrote which field.", &kAnyShape},
    {"deletionTimestamp", Handling::kCarry, nullptr, "When somebody asked to delete it.", &kString},
    {"deletionGracePeriodSeconds", Handling::kCarry, nullptr, "How long it may still be there.", &kInteger},
    {"selfLink", Handling::kCarry, nullptr, "Not used any more.", &kString},
};

constexpr Field<Workflow> kWorkflowFields[] = {
    {"apiVersion", Handling::kCarry, nullptr, "argoproj.io/v1alpha1", &kString},
    {"kind", Handling::kCarry, nullptr, "What this object is.", &kString},
    {"metadata", Handling::kRead, [](const Place& place, Workflow& out) { read_metadata(place, out); },
     "Name, labels, annotations.", &kObject<kMetadataTable>},
    {"spec", Handling::kRead, [](const Place& place, Workflow& out) { read(place, out.spec); }, "What is to run.",
     &kObject<kSpecTable>},
    {"status", Handling::kCarry, nullptr, "What has happened; written by the engine.", &kEmptyObject},
};
constexpr Shape kWorkflowShape = kObject<kWorkflowTable>;

/// True when the document is of a kind that is read here.
bool check_kind(const Place& place, Workflow& out) {
  if (!expect_object(place)) return false;
  const doc::Object& object = place.value().get_object();
  const doc::Value* kind = object.if_contains("kind");
  const std::string_view name = doc::find_string(place.value(), "kind");
  const auto known = std::ranges::find(kKinds, name);
  if (known == std::end(kKinds)) {
    const bool argo = std::ranges::find(kOtherKinds, name) != std::end(kOtherKinds);
    const std::string what = !kind  ? "kind is required: Workflow"
                             : argo ? fmt::format("kind \"{}\" is not supported yet; use one of: {}, CronWorkflow",
                                                  name, fmt::join(kKinds, ", "))
                                    : fmt::format("kind must be Workflow, not {}", doc::to_json(*kind));
    (kind ? place.member("kind", *kind) : place).error(what);
    return false;
  }
  out.kind = static_cast<Workflow::Kind>(known - std::begin(kKinds));
  return check_api_version(place);
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
  Reading reading{again, document, {}, &kObject<kTemplateTable>};
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

/// What arguments got from ConfigMaps.
void read_config_map_arguments(const Place& status_place, Workflow& out) {
  const doc::Value* given = doc::find(status_place.value(), "configMapArguments");
  if (!given || given->is_null()) return;
  read(status_place.member("configMapArguments", *given), out.config_map_arguments);
  out.take_config_map_arguments();
}

/// What the status holds of other objects' templates.
void read_stored_spec(const Place& status_place, Workflow& out) {
  const doc::Value* status = &status_place.value();
  if (const doc::Value* templates = doc::find(*status, "storedTemplates"); templates && !templates->is_null()) {
    read_stored_templates(status_place.member("storedTemplates", *templates), out);
  }
  const doc::Value* spec = doc::find(*status, "storedWorkflowTemplateSpec");
  if (!spec || spec->is_null()) return;
  // Users change these two of their own spec, at any time.
  const bool suspend = out.spec.suspend;
  std::string shutdown = std::move(out.spec.shutdown);
  out.spec = {};
  read(status_place.member("storedWorkflowTemplateSpec", *spec), out.spec);
  out.spec.suspend = suspend;
  out.spec.shutdown = std::move(shutdown);
  out.joined = true;
}

/// What the workflow keeps of what was when it began.
void read_stored(const Place& place, Workflow& out) {
  const doc::Value* status = doc::find(place.value(), "status");
  if (!status || !status->is_object()) return;
  const Place status_place = place.member("status", *status);
  read_stored_spec(status_place, out);
  read_config_map_arguments(status_place, out);
}

/// What a reading is of.
enum class Of { kManifest, kStored, kBegun };

Workflow read_workflow(const doc::Value& document, std::vector<Finding>& findings, Of of) {
  Workflow workflow;
  workflow.document = std::make_shared<const doc::Value>(without_nodes(document));
  Reading reading{findings, workflow.document, {}, &kWorkflowShape};
  const Place place(reading, *workflow.document);
  if (!check_kind(place, workflow)) return workflow;
  const doc::Value* spec = doc::find(*workflow.document, "spec");
  if (!spec || spec->is_null()) {
    (spec ? place.member("spec", *spec) : place).error("spec is required");
    workflow.spec.document = std::make_shared<const doc::Value>(doc::Object());
  }
  read_object<Workflow>(place, workflow, kWorkflowFields);
  if (of != Of::kManifest) read_stored(place, workflow);
  // An object's defaults are not those of the workflows that refer to its templates.
  if (!workflow.is_template() && (of == Of::kBegun || !any_error(findings))) put_template_defaults(workflow, findings);
  return workflow;
}

}  // namespace

constexpr FieldTable kMetadataTable("ObjectMeta", kMetadataFields);
constexpr FieldTable kWorkflowTable("Workflow", kWorkflowFields);

bool check_api_version(const Place& place) {
  const doc::Value* version = place.value().get_object().if_contains("apiVersion");
  if (doc::find_string(place.value(), "apiVersion") == kApiVersion) return true;
  const std::string what = !version ? fmt::format("apiVersion is required: {}", kApiVersion)
                                    : fmt::format("apiVersion must be {}, not {}", kApiVersion, doc::to_json(*version));
  (version ? place.member("apiVersion", *version) : place).error(what);
  return false;
}

void read_metadata(const Place& place, Workflow& out) {
  read_object<Workflow>(place, out, kMetadataFields);
}

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
  return read_workflow(document, findings, Of::kManifest);
}

Workflow parse_resolved_workflow(const doc::Value& document, std::vector<Finding>& findings) {
  return read_workflow(document, findings, Of::kStored);
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

Result<Workflow> parse_begun_workflow(const doc::Value& document, std::vector<Finding>& passed_over) {
  std::vector<Finding> findings;
  Workflow workflow = read_workflow(document, findings, Of::kBegun);
  for (Finding& finding : findings) {
    if (!finding.is_error()) continue;
    const bool within = std::ranges::any_of(std::array{"/metadata/", "/spec/", "/status/"},
                                            [&](const char* part) { return finding.pointer.starts_with(part); });
    if (!within) {
      return fail(Code::kDataLoss, fmt::format("workflow {}/{}: {}", workflow.ns, workflow.name, finding.message));
    }
    passed_over.push_back(std::move(finding));
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

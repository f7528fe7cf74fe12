#include "api/join.h"

#include <algorithm>
#include <span>

#include "api/artifact_location.h"
#include "doc/patch.h"

namespace tiphys::api {
namespace {

constexpr std::string_view kTypes[] = {"container", "script", "steps",        "dag",  "suspend",
                                       "resource",  "data",   "containerSet", "http", "plugin"};
constexpr std::string_view kGroupTypes[] = {"steps", "dag"};

/// Null members count as absent, as in Go; to a patch they would mean "remove". Items of loops may well be null.
doc::Value without_nulls(const doc::Value& value) {
  if (const doc::Object* object = value.if_object()) {
    doc::Object kept;
    for (const auto& [key, member] : *object) {
      if (member.is_null()) continue;
      kept.emplace(key, std::string_view(key) == "withItems" ? member : without_nulls(member));
    }
    return kept;
  }
  const doc::Array* array = value.if_array();
  if (!array) return value;
  doc::Array kept;
  kept.reserve(array->size());
  for (const doc::Value& element : *array) kept.push_back(without_nulls(element));
  return kept;
}

const doc::Array& list(const doc::Value* value) {
  static const doc::Array kNone;
  return value && value->is_array() ? value->get_array() : kNone;
}

const doc::Value* find_named(const doc::Array& array, std::string_view name) {
  const auto found =
      std::ranges::find_if(array, [&](const doc::Value& element) { return doc::find_string(element, "name") == name; });
  return found == array.end() ? nullptr : &*found;
}

bool has_value(const doc::Value& parameter) {
  return doc::find(parameter, "value") || doc::find(parameter, "default") || doc::find(parameter, "valueFrom");
}

/// An argument that both name is the winner's whole, but for an artifact in the same kind of place: what the winner
/// leaves out of the place is the other's.
doc::Value chosen_artifact(const doc::Value& merged, const doc::Value& winner) {
  doc::Value chosen = winner;
  if (!winner.is_object() || !merged.is_object()) return chosen;
  const std::string_view place = location_kind(winner.get_object());
  if (!place.empty() && location_kind(merged.get_object()) == place)
    chosen.get_object()[place] = *doc::find(merged, place);
  return chosen;
}

void choose_arguments(doc::Value& joined, const doc::Value& workflow_spec, const doc::Value& template_spec) {
  doc::Object* arguments = nullptr;
  if (doc::Value* found = joined.get_object().if_contains("arguments")) arguments = found->if_object();
  if (!arguments) return;
  const auto choose = [&](std::string_view kind, auto applies, auto take) {
    doc::Value* members = arguments->if_contains(kind);
    if (!members || !members->is_array()) return;
    for (doc::Value& member : members->get_array()) {
      const std::string name(doc::find_string(member, "name"));
      for (const doc::Value* spec : {&workflow_spec, &template_spec}) {
        const doc::Value* winner = find_named(list(doc::find(*spec, "arguments", kind)), name);
        if (!winner || !applies(*winner)) continue;
        member = take(member, *winner);
        break;
      }
    }
  };
  choose("parameters", has_value, [](const doc::Value&, const doc::Value& winner) { return winner; });
  choose("artifacts", [](const doc::Value&) { return true; }, chosen_artifact);
}

/// Objects whose members are taken whole: those of `from` that `to` lacks.
void add_members(doc::Value& to, const doc::Value* from) {
  if (!from || !from->is_object() || from->get_object().empty()) return;
  if (!to.is_object()) to.emplace_object();
  for (const auto& [key, member] : from->get_object()) to.get_object().emplace(key, member);
}

bool any_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

std::string_view type_of(const doc::Value& tmpl) {
  for (const std::string_view type : kTypes) {
    if (const doc::Value* value = doc::find(tmpl, type); value && !value->is_null()) return type;
  }
  return "";
}

doc::Value applicable(const doc::Value& defaults, std::string_view type) {
  const bool group = any_of(type, kGroupTypes);
  doc::Object kept;
  for (const auto& [key, value] : defaults.get_object()) {
    const std::string_view name = key;
    if (name != type && any_of(name, kTypes)) continue;
    if (name == "name" || (name == "parallelism" && !group)) continue;
    if ((name == "timeout" || name == "activeDeadlineSeconds") && (group || type == "suspend")) continue;
    kept.emplace(key, without_nulls(value));
  }
  return kept;
}

/// A spec with what it leaves unsaid taken from another; both without nulls. Hooks are taken whole, and so is each of
/// labelsFrom.
Result<doc::Value> merge_spec(const doc::Value& own, const doc::Value& others) {
  doc::Value merged = others;
  merged.get_object().erase("hooks");
  const doc::Value* labels = doc::find(others, "workflowMetadata", "labelsFrom");
  if (labels) merged.at("workflowMetadata").get_object().erase("labelsFrom");
  TIPHYS_CHECK_OK(doc::apply_strategic_merge_patch(merged, own, "WorkflowSpec"));
  if (const doc::Value* hooks = doc::find(others, "hooks")) add_members(merged.get_object()["hooks"], hooks);
  if (labels) add_members(doc::ensure_object(merged.get_object(), "workflowMetadata")["labelsFrom"], labels);
  return merged;
}

Status add_to_inline(doc::Value& step, const doc::Value& defaults) {
  doc::Value* written = step.is_object() ? step.get_object().if_contains("inline") : nullptr;
  if (!written || !written->is_object()) return {};
  TIPHYS_TRY(*written, with_template_defaults(*written, defaults));
  return {};
}

}  // namespace

Result<doc::Value> join_workflow_spec(const doc::Value& workflow_spec, const doc::Value& template_spec,
                                      const doc::Value* defaults) {
  if (!workflow_spec.is_object() || !template_spec.is_object()) {
    return fail(Code::kInvalidArgument, "the spec of a workflow or template is no object");
  }
  const doc::Value own = without_nulls(workflow_spec);
  const doc::Value others = without_nulls(template_spec);
  TIPHYS_TRY(doc::Value joined, merge_spec(own, others));
  if (defaults && defaults->is_object()) {
    TIPHYS_TRY(joined, merge_spec(joined, without_nulls(*defaults)));
  }
  joined.get_object().erase("suspend");
  if (const doc::Value* suspend = doc::find(own, "suspend")) joined.get_object()["suspend"] = *suspend;
  choose_arguments(joined, own, others);
  return joined;
}

doc::Shared spec_of_defaults(const doc::Shared& defaults) {
  const doc::Value* spec = defaults ? doc::find(*defaults, "spec") : nullptr;
  return spec ? doc::Shared(defaults, spec) : nullptr;
}

Result<doc::Value> with_workflow_defaults(const doc::Value& workflow, const doc::Value& defaults) {
  doc::Value whole = workflow;
  doc::Object& object = whole.as_object();
  for (const char* kind : {"labels", "annotations"}) {
    const doc::Value* pairs = doc::find(defaults, "metadata", kind);
    if (pairs && pairs->is_object()) add_members(doc::ensure_object(object, "metadata")[kind], pairs);
  }
  const doc::Value* spec = doc::find(workflow, "spec");
  const doc::Value* others = doc::find(defaults, "spec");
  if (!spec || !spec->is_object() || !others || !others->is_object()) return whole;
  if (const doc::Value* ref = doc::find(*spec, "workflowTemplateRef"); ref && !ref->is_null()) return whole;
  TIPHYS_TRY(object["spec"], merge_spec(without_nulls(*spec), without_nulls(*others)));
  return whole;
}

Result<doc::Value> with_template_defaults(const doc::Value& tmpl, const doc::Value& defaults) {
  if (!tmpl.is_object() || !defaults.is_object()) return tmpl;
  doc::Value patch = without_nulls(tmpl);
  const std::string_view type = type_of(patch);
  if (type.empty()) return tmpl;
  doc::Value merged = applicable(defaults, type);
  TIPHYS_CHECK_OK(doc::apply_strategic_merge_patch(merged, patch, "Template"));
  if (type == "steps") {
    for (doc::Value& group : merged.get_object()["steps"].as_array()) {
      if (!group.is_array()) TIPHYS_CHECK_OK(add_to_inline(group, defaults));
      if (!group.is_array()) continue;
      for (doc::Value& step : group.get_array()) TIPHYS_CHECK_OK(add_to_inline(step, defaults));
    }
  } else if (type == "dag" && doc::find(merged, "dag", "tasks")) {
    for (doc::Value& task : merged.get_object()["dag"].get_object()["tasks"].as_array()) {
      TIPHYS_CHECK_OK(add_to_inline(task, defaults));
    }
  }
  return merged;
}

void add_pod_metadata(doc::Value& tmpl, const doc::Value& spec) {
  for (const char* kind : {"labels", "annotations"}) {
    const doc::Value* pairs = doc::find(spec, "podMetadata", kind);
    if (!pairs || !pairs->is_object() || pairs->get_object().empty()) continue;
    add_members(doc::ensure_object(tmpl.as_object(), "metadata")[kind], pairs);
  }
}

}  // namespace tiphys::api

#include "objects/pod_warnings.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

const doc::Value* labels_of_template(const doc::Value& object) {
  const doc::Value* labels = doc::find(object, "spec", "template", "metadata", "labels");
  return labels && labels->is_object() ? labels : nullptr;
}

bool has_members(const doc::Value* map) {
  return map && map->is_object() && !map->get_object().empty();
}

/// Its selector is a map of labels; without one it has those of the template.
void fill_replication_controller(doc::Object& object) {
  take_labels_of_template(object);
  const doc::Value whole = object;
  doc::Object& spec = doc::ensure_object(object, "spec");
  const doc::Value* labels = labels_of_template(whole);
  if (labels && !has_members(doc::find(whole, "spec", "selector"))) spec["selector"] = *labels;
  fill_in(spec, "replicas", 1);
  if (doc::find(whole, "spec", "template")) fill_template(spec);
  fill_in(doc::ensure_object(object, "status"), "replicas", 0);
}

void check_labels(const doc::Value& object, const Path& of_template, FieldErrors& errors) {
  const doc::Value* labels = labels_of_template(object);
  for (const auto& [key, value] : doc::find(object, "spec", "selector")->get_object()) {
    const doc::Value* found = labels ? doc::find(*labels, key) : nullptr;
    if (found && *found == value) continue;
    const Path metadata = of_template.field("metadata");
    errors.push_back(schema::invalid(metadata.field("labels").text(), labels ? *labels : doc::Value(doc::Object()),
                                     "`selector` does not match template `labels`"));
    return;
  }
}

void check_replication_controller(const doc::Value& object, FieldErrors& errors) {
  const Path root;
  const Path at = root.field("spec");
  const doc::Value& spec = spec_of(object);
  check_not_negative(spec, at, "minReadySeconds", errors);
  const bool selects = has_members(doc::find(spec, "selector"));
  if (!selects) errors.push_back(schema::required(at.field("selector").text()));
  check_not_negative(spec, at, "replicas", errors);
  if (!doc::find(spec, "template")) return errors.push_back(schema::required(at.field("template").text()));
  if (selects) check_labels(object, at.field("template"), errors);
  check_template(spec, at, errors);
  check_always_restarted(spec, at, "ReplicationController", errors);
}

}  // namespace

const KindRules kReplicationControllerRules{
    .fill = fill_replication_controller, .check = check_replication_controller, .warn = warn_of_template};

}  // namespace tiphys::objects

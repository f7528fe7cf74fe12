#include "objects/pod_warnings.h"
#include "objects/selector_rules.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

/// What a ReplicaSet, Deployment and StatefulSet have in common.
void check_replicated(const doc::Value& object, FieldErrors& errors) {
  const Path root;
  const Path at = root.field("spec");
  const doc::Value& spec = spec_of(object);
  for (const char* member : {"replicas", "minReadySeconds", "revisionHistoryLimit"}) {
    check_not_negative(spec, at, member, errors);
  }
  check_selector(spec, at, errors);
  check_template(spec, at, errors);
  check_always_restarted(spec, at, "ReplicaSet", errors);
}

void check_replicated_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const Path root;
  check_fixed(before, after, root.field("spec"), "selector", errors);
}

void fill_replica_set(doc::Object& object) {
  take_labels_of_template(object);
  doc::Object& spec = doc::ensure_object(object, "spec");
  fill_in(spec, "replicas", 1);
  fill_template(spec);
  fill_in(doc::ensure_object(object, "status"), "replicas", 0);
}

void fill_deployment(doc::Object& object) {
  doc::Object& spec = doc::ensure_object(object, "spec");
  fill_in(spec, "replicas", 1);
  doc::Object& strategy = doc::ensure_object(spec, "strategy");
  fill_in(strategy, "type", "RollingUpdate");
  if (doc::find_string(doc::Value(strategy), "type") == "RollingUpdate") {
    doc::Object& rolling = doc::ensure_object(strategy, "rollingUpdate");
    fill_in(rolling, "maxUnavailable", "25%");
    fill_in(rolling, "maxSurge", "25%");
  }
  fill_in(spec, "revisionHistoryLimit", 10);
  fill_in(spec, "progressDeadlineSeconds", 600);
  fill_template(spec);
}

void check_rolling(const doc::Value& rolling, const Path& at, FieldErrors& errors) {
  const doc::Value* missing = doc::find(rolling, "maxUnavailable");
  const doc::Value* more = doc::find(rolling, "maxSurge");
  check_part(missing, at.field("maxUnavailable"), errors);
  check_share(more, at.field("maxSurge"), errors);
  if (!is_zero(missing) || !is_zero(more)) return;
  errors.push_back(schema::invalid(at.field("maxUnavailable").text(), *missing, "may not be 0 when `maxSurge` is 0"));
}

void check_deployment(const doc::Value& object, FieldErrors& errors) {
  check_replicated(object, errors);
  const Path root;
  const Path spec_path = root.field("spec");
  const Path at = spec_path.field("strategy");
  const doc::Value* strategy = doc::find(object, "spec", "strategy");
  if (!strategy) return;
  const auto type = doc::find_string(*strategy, "type");
  const doc::Value* rolling = doc::find(*strategy, "rollingUpdate");
  if (type == "Recreate" && rolling) {
    errors.push_back(
        schema::forbidden(at.field("rollingUpdate").text(), "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type != "Recreate" && type != "RollingUpdate") {
    errors.push_back(schema::not_supported(at.field("type").text(), doc::Value(type), {"Recreate", "RollingUpdate"}));
  } else if (rolling) {
    check_rolling(*rolling, at.field("rollingUpdate"), errors);
  }
}

void fill_claim_templates(doc::Object& spec) {
  doc::Value* templates = spec.if_contains("volumeClaimTemplates");
  if (!templates || !templates->is_array()) return;
  for (doc::Value& one : templates->get_array()) {
    if (!one.is_object()) continue;
    doc::Object& claim = one.get_object();
    fill_in(claim, "apiVersion", "v1");
    fill_in(claim, "kind", "PersistentVolumeClaim");
    fill_in(doc::ensure_object(claim, "spec"), "volumeMode", "Filesystem");
    fill_in(doc::ensure_object(claim, "status"), "phase", "Pending");
  }
}

void fill_stateful_set(doc::Object& object) {
  doc::Object& spec = doc::ensure_object(object, "spec");
  fill_in(spec, "replicas", 1);
  fill_in(spec, "podManagementPolicy", "OrderedReady");
  fill_in(spec, "revisionHistoryLimit", 10);
  doc::Object& strategy = doc::ensure_object(spec, "updateStrategy");
  fill_in(strategy, "type", "RollingUpdate");
  if (doc::find_string(doc::Value(strategy), "type") == "RollingUpdate") {
    fill_in(doc::ensure_object(strategy, "rollingUpdate"), "partition", 0);
  }
  fill_claim_templates(spec);
  doc::Object& retention = doc::ensure_object(spec, "persistentVolumeClaimRetentionPolicy");
  fill_in(retention, "whenDeleted", "Retain");
  fill_in(retention, "whenScaled", "Retain");
  fill_template(spec);
}

/// Its containers mount the claims that each pod gets, which are volumes of these names.
doc::Value with_claims(const doc::Value& object) {
  const doc::Value* claims = doc::find(object, "spec", "volumeClaimTemplates");
  const doc::Value* pod = doc::find(object, "spec", "template", "spec");
  if (!claims || !claims->is_array() || !pod || !pod->is_object()) return object;
  doc::Value whole = object;
  doc::Object& spec = whole.at("spec").at("template").at("spec").as_object();
  doc::Value& volumes = spec["volumes"];
  if (!volumes.is_array()) volumes = doc::Array();
  for (const doc::Value& claim : claims->get_array()) {
    const auto name = doc::find_string(claim, "metadata", "name");
    const doc::Object source{{"claimName", name}};
    volumes.get_array().push_back(doc::Object{{"name", name}, {"persistentVolumeClaim", source}});
  }
  return whole;
}

void check_stateful_set(const doc::Value& object, FieldErrors& errors) {
  const doc::Value& spec = spec_of(object);
  const Path root;
  const Path at = root.field("spec");
  const auto management = doc::find_string(spec, "podManagementPolicy");
  if (management != "OrderedReady" && management != "Parallel") {
    errors.push_back(schema::invalid(at.field("podManagementPolicy").text(), doc::Value(management),
                                     "must be 'OrderedReady' or 'Parallel'"));
  }
  const doc::Value* strategy = doc::find(spec, "updateStrategy");
  const auto type = strategy ? doc::find_string(*strategy, "type") : std::string_view();
  const doc::Value* rolling = strategy ? doc::find(*strategy, "rollingUpdate") : nullptr;
  const Path of_strategy = at.field("updateStrategy");
  if (type == "OnDelete" && rolling) {
    errors.push_back(schema::invalid(of_strategy.field("rollingUpdate").text(), *rolling,
                                     "only allowed for updateStrategy 'RollingUpdate'"));
  } else if (type != "OnDelete" && type != "RollingUpdate") {
    errors.push_back(schema::invalid(of_strategy.text(), strategy ? *strategy : doc::Value(),
                                     "must be 'RollingUpdate' or 'OnDelete'"));
  } else if (rolling) {
    check_not_negative(*rolling, of_strategy.field("rollingUpdate"), "partition", errors);
  }
  for (const char* member : {"whenDeleted", "whenScaled"}) {
    const auto policy = doc::find_string(spec, "persistentVolumeClaimRetentionPolicy", member);
    if (policy == "Retain" || policy == "Delete") continue;
    errors.push_back(schema::not_supported(at.field("persistentVolumeClaimRetentionPolicy").field(member).text(),
                                           doc::Value(policy), {"Delete", "Retain"}));
  }
  if (const doc::Value* ordinals = doc::find(spec, "ordinals")) {
    check_not_negative(*ordinals, at.field("ordinals"), "start", errors);
  }
  check_replicated(with_claims(object), errors);
}

void check_stateful_set_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  doc::Value old = spec_of(before), now = spec_of(after);
  for (const char* free : {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                           "persistentVolumeClaimRetentionPolicy", "minReadySeconds"}) {
    old.get_object().erase(free);
    now.get_object().erase(free);
  }
  if (old == now) return;
  errors.push_back(schema::forbidden(
      "spec",
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
      "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"));
}

}  // namespace

const KindRules kReplicaSetRules{.fill = fill_replica_set,
                                 .check = check_replicated,
                                 .check_update = check_replicated_update,
                                 .warn = warn_of_template};
const KindRules kDeploymentRules{.fill = fill_deployment,
                                 .check = check_deployment,
                                 .check_update = check_replicated_update,
                                 .warn = warn_of_template};
const KindRules kStatefulSetRules{.fill = fill_stateful_set,
                                  .check = check_stateful_set,
                                  .check_update = check_stateful_set_update,
                                  .warn = warn_of_template};

}  // namespace tiphys::objects

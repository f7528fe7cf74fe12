// Defaults and checks of the kinds that make pods (k8s.io/kubernetes/pkg/apis/batch, pkg/apis/apps).
#pragma once

#include "objects/kind_rules.h"
#include "schema/path.h"

namespace tiphys::objects {

extern const KindRules kJobRules, kCronJobRules;                               // batch_rules.cc
extern const KindRules kDeploymentRules, kReplicaSetRules, kStatefulSetRules;  // apps_rules.cc
extern const KindRules kDaemonSetRules;                                        // daemon_set_rules.cc
extern const KindRules kReplicationControllerRules;                            // replication_controller_rules.cc

// What they share (workload_rules.cc).

/// Sets a member that is missing or null.
void fill_in(doc::Object& object, std::string_view key, doc::Value otherwise);
/// The spec of spec.template; also labels of the object from those of the template, when it has none.
void fill_template(doc::Object& spec);
void take_labels_of_template(doc::Object& object);
/// A number that must not be negative.
void check_not_negative(const doc::Value& spec, const schema::Path& at, std::string_view member,
                        schema::FieldErrors& errors);
/// That the selector is there and selects the template's pods. `whose` ends the sentence that refuses an empty one.
void check_selector(const doc::Value& spec, const schema::Path& at, schema::FieldErrors& errors,
                    std::string_view whose = "");
void check_template(const doc::Value& spec, const schema::Path& at, schema::FieldErrors& errors);
/// That the pods of the template run for ever; `kind` is whose they are.
void check_always_restarted(const doc::Value& spec, const schema::Path& at, std::string_view kind,
                            schema::FieldErrors& errors);
bool is_zero(const doc::Value* share);
/// That a member of spec stays as it is.
void check_fixed(const doc::Value& before, const doc::Value& after, const schema::Path& at, std::string_view member,
                 schema::FieldErrors& errors);

}  // namespace tiphys::objects

#include "objects/namespaces.h"

#include <fmt/format.h>

#include <algorithm>

#include "objects/names.h"
#include "schema/path.h"
#include "store/metadata.h"

namespace tiphys::objects {

Outcome<void> admit_to_namespace(store::Store& store, const Kind& kind, const doc::Value& object) {
  if (!kind.resource->namespaced) return {};
  const std::string name(doc::find_string(object, "metadata", "namespace"));
  const auto found = store.newest({&cluster::kNamespaces, "", name});
  if (!found) return std::unexpected(refusal_of(found.error()));
  if (!*found) {
    return std::unexpected(refusal_of(store::not_found(cluster::kNamespaces, name), &cluster::kNamespaces, name));
  }
  if (!store::is_terminating(**found)) return {};
  auto called = doc::find_string(object, "metadata", "name");
  if (called.empty()) called = doc::find_string(object, "metadata", "generateName");
  Refusal refusal = refusal_of(store::terminating_namespace(*kind.resource, object), kind.resource, called);
  refusal.details["causes"] = doc::Array{doc::Object{{"reason", "NamespaceTerminating"},
                                                     {"message", fmt::format("namespace {} is being terminated", name)},
                                                     {"field", "metadata.namespace"}}};
  return std::unexpected(std::move(refusal));
}

void fill_namespace(doc::Object& object) {
  doc::Object& metadata = doc::ensure_object(object, "metadata");
  if (const doc::Value* found = metadata.if_contains("name")) {
    const doc::Value name = *found;
    doc::ensure_object(metadata, "labels")["kubernetes.io/metadata.name"] = name;
  }
  doc::Object& status = doc::ensure_object(object, "status");
  if (!status.contains("phase")) status["phase"] = "Active";
  doc::Value& finalizers = doc::ensure_object(object, "spec")["finalizers"];
  if (!finalizers.is_array()) finalizers = doc::Array();
  if (metadata.contains("uid")) return;
  const doc::Value kubernetes("kubernetes");
  if (std::ranges::find(finalizers.get_array(), kubernetes) == finalizers.get_array().end()) {
    finalizers.get_array().push_back(kubernetes);
  }
}

void check_namespace(const doc::Value& object, schema::FieldErrors& errors) {
  const doc::Value* finalizers = doc::find(object, "spec", "finalizers");
  if (!finalizers || !finalizers->is_array()) return;
  for (std::size_t i = 0; i < finalizers->get_array().size(); ++i) {
    const std::string name = doc::scalar_text(finalizers->get_array()[i]);
    const std::string at = schema::Path().field("spec").field("finalizers").index(i).text();
    for (const std::string& why : qualified_name(name)) errors.push_back(schema::invalid(at, doc::Value(name), why));
    const bool is_standard = name == "kubernetes" || name == "orphan" || name == "foregroundDeletion";
    if (is_standard || name.find('/') != name.npos) continue;
    errors.push_back(
        schema::invalid(at, doc::Value(name), "name is neither a standard finalizer name nor is it fully qualified"));
  }
}

void check_namespace_update(const doc::Value& before, const doc::Value& after, schema::FieldErrors& errors) {
  const auto phase = doc::find_string(after, "status", "phase");
  const bool is_terminating = store::is_terminating(before);
  if (phase == (is_terminating ? "Terminating" : "Active")) return;
  errors.push_back(schema::invalid("status.Phase", doc::Value(phase),
                                   is_terminating ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
                                                  : "may only be 'Active' if `deletionTimestamp` is empty"));
}

}  // namespace tiphys::objects

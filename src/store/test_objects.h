// Small objects for the store's tests.
#pragma once

#include <string>
#include <vector>

#include "store/testing.h"

namespace tiphys::store {

inline doc::Value named(std::string_view name, std::string_view ns = "default", doc::Object labels = {}) {
  return {{"metadata", {{"name", name}, {"namespace", ns}, {"labels", std::move(labels)}}}};
}

inline doc::Value workflow(std::string_view name, doc::Object labels = {}) {
  doc::Value object = named(name, "default", std::move(labels));
  object.as_object()["spec"] = {{"entrypoint", "main"}, {"templates", {{{"name", "main"}}}}};
  return object;
}

inline doc::Value pod(std::string_view name, std::string_view owner_uid = "", std::string_view phase = "Running") {
  doc::Value object = named(name, "default", {{"workflows.argoproj.io/workflow", "wf"}});
  object.as_object()["status"] = {{"phase", phase}};
  if (!owner_uid.empty()) {
    object.at("metadata").as_object()["ownerReferences"] = {
        {{"apiVersion", "argoproj.io/v1alpha1"}, {"kind", "Workflow"}, {"name", "wf"}, {"uid", owner_uid}}};
  }
  return object;
}

inline cluster::Key key(const cluster::Resource& resource, std::string name) {
  return {&resource, resource.namespaced ? "default" : "", std::move(name)};
}

inline std::string text(const cluster::Object& object, auto... path) {
  return std::string(doc::find_string(*object, path...));
}

inline std::vector<std::string> names(const Result<cluster::List>& list) {
  std::vector<std::string> found;
  for (const auto& item : list->items) {
    found.push_back(text(item, "metadata", "namespace") + "/" + text(item, "metadata", "name"));
  }
  return found;
}

inline std::size_t count(TestStore& store, const cluster::Resource& resource) {
  return store.list(resource)->items.size();
}

}  // namespace tiphys::store

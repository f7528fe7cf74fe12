// Checks of parts of a pod's spec (k8s.io/kubernetes/pkg/apis/core/validation).
#pragma once

#include "podspec/names.h"
#include "schema/field_error.h"
#include "schema/path.h"

namespace tiphys::podspec {

void complain(const doc::Value& value, const schema::Path& at, const Complaints& complaints,
              schema::FieldErrors& errors);
/// A member that is one of some words, where it is there.
void check_choice(const doc::Value& object, std::string_view key, const std::vector<std::string>& choices,
                  const schema::Path& at, schema::FieldErrors& errors);
/// Calls `visit(element, path)` for each element of a list.
template <typename Visit>
void each_element(const doc::Value& object, std::string_view list, const schema::Path& at, Visit&& visit) {
  const doc::Value* found = doc::find(object, list);
  if (!found || !found->is_array()) return;
  const schema::Path path = at.field(list);
  std::size_t i = 0;
  for (const doc::Value& one : found->get_array()) visit(one, path.index(i++));
}
/// Calls `check(member, path)` where an object has the member.
template <typename Check>
void if_there(const doc::Value& object, std::string_view key, const schema::Path& at, Check&& check) {
  if (const doc::Value* found = doc::find(object, key)) check(*found, at.field(key));
}

// container_rules.cc
/// `volumes` are the pod's, null where it has none.
void check_variable_source(const doc::Value& variable, const doc::Value* volumes, const schema::Path& at,
                           schema::FieldErrors& errors);
void check_env_from(const doc::Value& container, const schema::Path& at, schema::FieldErrors& errors);
void check_probes(const doc::Value& container, bool init, const schema::Path& at, schema::FieldErrors& errors);
void check_resources(const doc::Value& container, const schema::Path& at, schema::FieldErrors& errors);
void check_sub_path(const doc::Value& mount, const schema::Path& mounts, schema::FieldErrors& errors);

// pod_spec.cc
/// What a container's pod has around it.
struct ContainerPlace {
  bool init = false;  ///< one of initContainers
  bool host_network = false;
  const doc::Value* volumes = nullptr;  ///< of the pod; null where it has none
};
/// All but its name, its image and its mounts.
void check_container_parts(const doc::Value& container, const ContainerPlace& place, const schema::Path& at,
                           schema::FieldErrors& errors);

// volume_rules.cc
/// One source at most, and what it must say.
void check_volume_source(const doc::Value& volume, const schema::Path& at, schema::FieldErrors& errors);

// placement_rules.cc: where and as whom a pod runs.
void check_placement(const doc::Value& spec, const schema::Path& at, schema::FieldErrors& errors);

}  // namespace tiphys::podspec

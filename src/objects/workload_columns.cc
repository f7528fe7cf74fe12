#include <fmt/format.h>

#include <array>

#include "objects/columns.h"

namespace tiphys::objects {
namespace {

using doc::Value;

std::int64_t number(const Value& object, std::string_view part, std::string_view member) {
  const Value* found = doc::find(object, part, member);
  return found && found->is_int64() ? found->get_int64() : 0;
}

Value wanted(const Value& object, Time) {
  return Value(number(object, "spec", "replicas"));
}
Value present(const Value& object, Time) {
  return Value(number(object, "status", "replicas"));
}
Value ready(const Value& object, Time) {
  return Value(number(object, "status", "readyReplicas"));
}
Value ready_of_wanted(const Value& object, Time) {
  return Value(fmt::format("{}/{}", number(object, "status", "readyReplicas"), number(object, "spec", "replicas")));
}
Value updated(const Value& object, Time) {
  return Value(number(object, "status", "updatedReplicas"));
}
Value available(const Value& object, Time) {
  return Value(number(object, "status", "availableReplicas"));
}

constexpr std::array kDeploymentColumns{
    kNameColumn,
    Column{"Ready", "string", 0, "How many of its pods are ready.", ready_of_wanted},
    Column{"Up-to-date", "string", 0, "How many have its newest template.", updated},
    Column{"Available", "string", 0, "How many have been ready for long enough.", available},
    kAgeColumn,
    kContainersColumn,
    kImagesColumn,
    kSelectorColumn};

constexpr std::array kReplicaSetColumns{kNameColumn,
                                        Column{"Desired", "integer", 0, "How many pods it should have.", wanted},
                                        Column{"Current", "integer", 0, "How many it has.", present},
                                        Column{"Ready", "integer", 0, "How many of them are ready.", ready},
                                        kAgeColumn,
                                        kContainersColumn,
                                        kImagesColumn,
                                        kSelectorColumn};

}  // namespace

std::span<const Column> workload_columns(const cluster::Resource& resource) {
  if (&resource == &cluster::kDeployments) return kDeploymentColumns;
  if (&resource == &cluster::kReplicaSets) return kReplicaSetColumns;
  return {};
}

}  // namespace tiphys::objects

#include "api/executor_plugin.h"

#include <fmt/format.h>

#include "api/fields.h"

namespace tiphys::api {
namespace {

void check_sidecar_container(const Place& place, Unread&) {
  check_container(place);
  for (const std::string_view lack : lacks_of_plugin(place.value())) {
    place.error(fmt::format("{}: {}", place.name(), lack));
  }
}

constexpr Field<Unread> kSidecarFields[] = {
    {"container", Handling::kRead, check_sidecar_container,
     "The container. Its first port is where it is asked; requests, limits and a securityContext are needed.",
     &kObject<kContainerTable>},
    {"automountServiceAccountToken", Handling::kCarry, nullptr, "Whether it has its account's token.", &kBoolean, "",
     "By `tiphys run` there are none."},
};
constexpr FieldTable kSidecarTable("ExecutorPluginSidecar", kSidecarFields);

constexpr Field<Unread> kPluginSpecFields[] = {
    {"sidecar", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kSidecarFields); },
     "What runs beside the others in the workflow's agent pod.", &kObject<kSidecarTable>},
};
constexpr FieldTable kPluginSpecTable("ExecutorPluginSpec", kPluginSpecFields);

constexpr Field<Unread> kExecutorPluginFields[] = {
    {"metadata", Handling::kRead, [](const Place& place, Unread&) { expect_object(place); },
     "Its name, which is needed.", &kEmptyObject},
    {"spec", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kPluginSpecFields); },
     "The plugin.", &kObject<kPluginSpecTable>},
};

}  // namespace

constexpr FieldTable kExecutorPluginTable("ExecutorPlugin", kExecutorPluginFields);

std::vector<std::string_view> lacks_of_plugin(const doc::Value& container) {
  std::vector<std::string_view> lacks;
  const doc::Value* ports = doc::find(container, "ports");
  const bool has_port = ports && ports->is_array() && !ports->get_array().empty() &&
                        doc::find(ports->get_array().front(), "containerPort");
  if (!has_port) lacks.emplace_back("at least one port is mandatory");
  if (!doc::find(container, "resources", "requests")) lacks.emplace_back("resources requests are mandatory");
  if (!doc::find(container, "resources", "limits")) lacks.emplace_back("resources limits are mandatory");
  if (!doc::find(container, "securityContext")) lacks.emplace_back("security context is mandatory");
  return lacks;
}

void check_plugin(const Place& place) {
  if (!expect_object(place)) return;
  const std::size_t members = place.value().get_object().size();
  if (members != 1) place.error(fmt::format("{}: expected exactly one key, got {}", place.name(), members));
}

void check_executor_plugins(const Place& place) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) {
    const Place element = place.element(i, array[i]);
    check_object(element, kExecutorPluginFields);
    if (doc::find_string(array[i], "metadata", "name").empty()) {
      element.error(element.name() + ": executor plugin metadata name is mandatory");
    }
    if (!doc::find(array[i], "spec", "sidecar", "container")) {
      element.error(element.name() + ".spec.sidecar.container is required");
    }
  }
}

}  // namespace tiphys::api

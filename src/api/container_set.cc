// containerSet: several containers in one pod.
#include <algorithm>

#include "api/fields.h"

namespace tiphys::api {
namespace {

void read_containers(const Place& place, ContainerSet& out) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) {
    const Place element = place.element(i, array[i]);
    check_container_node(element);
    ContainerSet::Container& container = out.containers.emplace_back();
    container.name = doc::find_string(array[i], "name");
    const doc::Value* dependencies = doc::find(array[i], "dependencies");
    if (!dependencies || !dependencies->is_array()) continue;
    for (const doc::Value& dependency : dependencies->get_array()) {
      if (dependency.is_string()) container.dependencies.emplace_back(dependency.get_string());
    }
  }
}

constexpr Field<ContainerSet> kContainerSetFields[] = {
    {"containers", Handling::kRead, read_containers,
     "The containers. They start together, but for those that depend on others; outputs are those of `main`.",
     &kObject<kContainerNodeTable, Shape::Around::kList>, "test_a_set_of_containers_runs_as_a_graph"},
    {"volumeMounts", Handling::kRead, [](const Place& place, ContainerSet&) { check_volume_mounts(place); },
     "Volumes that all of them see.", &kObject<kVolumeMountTable, Shape::Around::kList>,
     "PodBuilder.AContainerSetBecomesItsContainers"},
    {"retryStrategy", Handling::kLater, nullptr, "Runs the command of a container again when it fails.", &kEmptyObject},
};

}  // namespace

constexpr FieldTable kContainerSetTable("ContainerSetTemplate", kContainerSetFields);

bool Template::has_result() const {
  if (type != Type::kContainerSet) return runs_containers() || (is_action() && type != Type::kResource);
  return container_set && std::ranges::find(container_set->containers, "main", &ContainerSet::Container::name) !=
                              container_set->containers.end();
}

void read(const Place& place, ContainerSet& out) {
  read_object<ContainerSet>(place, out, kContainerSetFields);
}

}  // namespace tiphys::api

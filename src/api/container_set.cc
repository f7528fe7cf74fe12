// containerSet: several containers in one pod.
#include "api/container_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

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

void check_int_or_string(const Place& place, Unread&) {
  read_int_or_string(place);
}

constexpr Field<Unread> kRetryFields[] = {
    {"duration", Handling::kRead, check_as<std::string>, "How long to wait before each further attempt: \"30s\".",
     &kString, "ContainerSetRetry.IsReadAsTheOriginalReadsIt"},
    {"retries", Handling::kRead, check_int_or_string, "How often a command is run in all, the first time included.",
     &kIntOrString, "test_the_command_of_a_container_is_run_again",
     "0 runs it once; there it would not run at all, and count as succeeded."},
};
constexpr FieldTable kRetryTable("ContainerSetRetryStrategy", kRetryFields);

constexpr Field<ContainerSet> kContainerSetFields[] = {
    {"containers", Handling::kRead, read_containers,
     "The containers. They start together, but for those that depend on others; outputs are those of `main`.",
     &kObject<kContainerNodeTable, Shape::Around::kList>, "test_a_set_of_containers_runs_as_a_graph"},
    {"volumeMounts", Handling::kRead, [](const Place& place, ContainerSet&) { check_volume_mounts(place); },
     "Volumes that all of them see.", &kObject<kVolumeMountTable, Shape::Around::kList>,
     "PodBuilder.AContainerSetBecomesItsContainers"},
    {"retryStrategy", Handling::kRead, [](const Place& place, ContainerSet&) { check_object(place, kRetryFields); },
     "Runs the command of a container again when it fails, with the container's files as they are.",
     &kObject<kRetryTable>, "test_the_command_of_a_container_is_run_again",
     "Processes that an attempt has left in the background end with it."},
};

}  // namespace

constexpr FieldTable kContainerSetTable("ContainerSetTemplate", kContainerSetFields);

Result<CommandAttempts> command_attempts(const doc::Value& container_set) {
  CommandAttempts attempts;
  const doc::Value* retries = doc::find(container_set, "retryStrategy", "retries");
  if (!retries || retries->is_null()) return attempts;
  const std::string count = doc::scalar_text(*retries);
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), attempts.most);
  if (error != std::errc() || end != count.data() + count.size() || attempts.most < 0) {
    return fail(Code::kInvalidArgument, fmt::format("retryStrategy.retries: \"{}\" is no whole number", count));
  }
  attempts.most = std::max(attempts.most, 1);
  const std::string_view pause = doc::find_string(container_set, "retryStrategy", "duration");
  if (pause.empty()) return attempts;
  auto duration = parse_go_duration(pause);
  if (!duration) return std::unexpected(duration.error().in("retryStrategy.duration"));
  if (*duration < Duration{0}) {
    return fail(Code::kInvalidArgument, fmt::format("retryStrategy.duration has to be positive, not {}", pause));
  }
  attempts.pause = *duration;
  return attempts;
}

bool Template::has_result() const {
  if (type != Type::kContainerSet) return runs_containers() || (is_action() && type != Type::kResource);
  return container_set && std::ranges::find(container_set->containers, "main", &ContainerSet::Container::name) !=
                              container_set->containers.end();
}

void read(const Place& place, ContainerSet& out) {
  read_object<ContainerSet>(place, out, kContainerSetFields);
}

}  // namespace tiphys::api

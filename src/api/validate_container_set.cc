// The containers of a containerSet: names, dependencies, mounts.
#include <fmt/format.h>

#include <algorithm>

#include "api/container_set.h"
#include "api/task_graph.h"
#include "api/validator.h"
#include "base/strings.h"

namespace tiphys::api {
namespace {

using Containers = std::vector<ContainerSet::Container>;

std::vector<std::string> names_of(const Containers& containers) {
  std::vector<std::string> names;
  for (const ContainerSet::Container& container : containers) names.push_back(container.name);
  return names;
}

std::string spell(const std::vector<std::size_t>& cycle, const std::vector<std::string>& names) {
  std::vector<std::string> spelled;
  for (const std::size_t container : cycle) spelled.push_back(names[container]);
  return join(spelled, "->");
}

}  // namespace

void Validator::check_container_set(const Template& tmpl, const Spot& spot) {
  const Containers& containers = tmpl.container_set->containers;
  if (containers.empty()) {
    return error(spot.pointer, spot.name + ".containers must have at least one container", true);
  }
  const doc::Value& set = *doc::find(*tmpl.document, "containerSet");
  check_mounts(tmpl, set, spot);
  const doc::Value* retry = doc::find(set, "retryStrategy");
  if (retry && retry->is_object() && !doc::find(*retry, "retries")) {
    error(spot.pointer + "/retryStrategy", spot.name + ".retryStrategy.retries is required", true);
  }
  // What holds a tag is looked at when the pod is made.
  if (retry && doc::to_json(*retry).find("{{") == std::string::npos) {
    if (const auto attempts = command_attempts(set); !attempts) {
      error(spot.pointer + "/retryStrategy", fmt::format("{}.{}", spot.name, attempts.error().message));
    }
  }
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < containers.size(); ++i) {
    const doc::Value& container = doc::find(set, "containers")->get_array()[i];
    const Spot at{fmt::format("{}/containers/{}", spot.pointer, i), fmt::format("{}.containers[{}]", spot.name, i)};
    check_name(containers[i].name, NameKind::kField, {at.pointer + "/name", at.name}, seen);
    if (containers[i].name == "init" || reserved_container(containers[i].name)) {
      error(at.pointer + "/name",
            fmt::format("{}.containers: \"{}\" is a reserved Argo container name", spot.name, containers[i].name));
    } else {
      check_container_name(containers[i].name, {at.pointer + "/name", at.name + ".name"});
    }
    if (doc::find_string(container, "image").empty()) error(at.pointer, at.name + ".image may not be empty", true);
    check_mounts(tmpl, container, at);
    check_env(tmpl, container, at);
    check_container(tmpl, container, at);
  }
  const bool has_files =
      !tmpl.inputs.artifacts.empty() || !tmpl.outputs.parameters.empty() || !tmpl.outputs.artifacts.empty();
  if (has_files && !seen.contains("main")) {
    error(spot.pointer + "/containers",
          spot.name + ".containers must have a container named \"main\" for input or output", true);
  }
  check_container_order(containers, spot);
}

void Validator::check_container_order(const std::vector<ContainerSet::Container>& containers, const Spot& spot) {
  const std::vector<std::string> names = names_of(containers);
  std::vector<std::vector<std::size_t>> waits(containers.size());
  for (std::size_t i = 0; i < containers.size(); ++i) {
    const std::vector<std::string>& dependencies = containers[i].dependencies;
    for (std::size_t k = 0; k < dependencies.size(); ++k) {
      const auto found = std::ranges::find(names, dependencies[k]);
      if (found != names.end()) {
        waits[i].push_back(static_cast<std::size_t>(found - names.begin()));
        continue;
      }
      error(fmt::format("{}/containers/{}/dependencies/{}", spot.pointer, i, k),
            fmt::format("{}.containers.{} dependency '{}' not defined{}", spot.name, names[i], dependencies[k],
                        did_you_mean(dependencies[k], names)));
    }
  }
  if (const auto cycle = TaskGraph(std::move(waits)).find_cycle(); !cycle.empty()) {
    error(fmt::format("{}/containers/{}", spot.pointer, cycle[0]),
          fmt::format("{}.containers dependency cycle detected: {}", spot.name, spell(cycle, names)));
  }
}

}  // namespace tiphys::api

// Containers whose variables come from files that init containers write: what they are made of is kept until they
// start.
#include <algorithm>

#include "node/agent/env_file.h"
#include "node/agent/pod_run.h"

namespace tiphys::node {

void PodRun::keep_for_files(PodSources objects, HostVolumes volumes) {
  const auto has_any = [&](const char* field) {
    const doc::Value* list = doc::find(*pod_, "spec", field);
    return list && list->is_array() && std::ranges::any_of(list->get_array(), has_file_keys);
  };
  if (has_any("initContainers") || has_any("containers")) sources_.emplace(std::move(objects), std::move(volumes));
}

Status PodRun::read_files(Container& container) {
  const doc::Value* document = sources_ ? document_of(container) : nullptr;
  if (!document || !has_file_keys(*document)) return {};
  auto given = give_file_keys(*pod_, *document, sources_->objects, sources_->volumes, place_, container.spec);
  if (given) return {};
  return std::unexpected(given.error().in("CreateContainerConfigError"));
}

}  // namespace tiphys::node

#include "node/agent/shown_files.h"

#include <algorithm>

namespace tiphys::node {
namespace {

void for_each_without(PodContainers& containers, std::string_view path, const auto& show) {
  for (std::vector<ContainerSpec>* list : {&containers.init, &containers.containers}) {
    for (ContainerSpec& spec : *list) {
      if (std::ranges::find(spec.mounts, path, &Mount::path) == spec.mounts.end()) show(spec);
    }
  }
}

}  // namespace

void mount_in_all(PodContainers& containers, const Mount& mount) {
  for_each_without(containers, mount.path, [&](ContainerSpec& spec) { spec.mounts.push_back(mount); });
}

void hold_in_all(PodContainers& containers, const HeldFiles& files) {
  for_each_without(containers, files.path, [&](ContainerSpec& spec) { spec.held.push_back(files); });
}

}  // namespace tiphys::node

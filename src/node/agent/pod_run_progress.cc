// What containers tell of their progress while they run.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/beneath.h"
#include "base/log.h"
#include "node/agent/pod_io.h"
#include "node/agent/pod_run.h"
#include "node/agent/write_file.h"

namespace tiphys::node {
namespace {

using namespace std::chrono_literals;

/// Between two reports for the sake of progress alone.
constexpr Duration kProgressInterval = 1s;

const Mount* progress_mount(const ContainerSpec& spec) {
  const auto mount = std::ranges::find(spec.mounts, kProgressFolder, &Mount::path);
  return mount == spec.mounts.end() ? nullptr : &*mount;
}

bool tells_progress(const ContainerSpec& spec) {
  return std::ranges::find(spec.env, "ARGO_PROGRESS_FILE", &std::pair<std::string, std::string>::first) !=
         spec.env.end();
}

}  // namespace

/// Containers share a folder of this host for it, as those of Argo share a volume. In the process runtime each root has
/// one already, and mounts cost a step time.
Status PodRun::give_progress_folder(PodContainers& made) {
  for (std::vector<ContainerSpec>* list : {&made.init, &made.containers}) {
    for (ContainerSpec& spec : *list) {
      const bool has_one = (shares_network() && !spec.read_only_root) || progress_mount(spec);
      if (!tells_progress(spec) || has_one) continue;
      const std::string folder = place_.dir + "/var-run-argo";
      // Whoever its user is.
      TIPHYS_CHECK_OK(make_folder(folder, 0777));
      spec.mounts.push_back({.host_path = folder, .path = std::string(kProgressFolder)});
    }
  }
  return {};
}

/// Of those that run longer than a moment.
void PodRun::follow_progress() {
  for (Container& container : containers_) {
    if (container.init || container.progress || !runs(container) || !tells_progress(container.spec)) continue;
    const Mount* mount = progress_mount(container.spec);
    auto folder = mount ? open_beneath(mount->host_path, "", O_RDONLY | O_DIRECTORY)
                        : runtime_.open_folder(container.spec.id, std::string(kProgressFolder));
    // It has ended meanwhile, or removed the folder.
    if (!folder && folder.error().code == Code::kNotFound) continue;
    auto file = folder ? ProgressFile::follow(world_.notices, std::move(*folder),
                                              [this](std::string text) { told_progress(std::move(text)); })
                       : std::unexpected(folder.error());
    if (file) {
      container.progress = std::move(*file);
    } else {
      log::warn("pod {}/{}: the progress of container {} cannot be followed: {}", key_.ns, key_.name,
                container.spec.container_name, file.error().message);
    }
  }
}

void PodRun::told_progress(std::string text) {
  progress_ = std::move(text);
  report_by(std::max(world_.executor.now(), last_report_ + kProgressInterval));
}

}  // namespace tiphys::node

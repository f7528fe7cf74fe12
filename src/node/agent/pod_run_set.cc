// The containers of a containerSet: each starts when those that it depends on have succeeded, and the first failure
// ends them all. The words and exit codes are those of the original's emissary, which runs in each container.
#include <fmt/format.h>

#include <algorithm>

#include "node/agent/pod_io.h"
#include "node/agent/pod_run.h"

namespace tiphys::node {
namespace {

constexpr int kDependencyFailed = 64;
/// Of what waits for another container when the pod is ended, as in the original: 128 + SIGTERM.
constexpr int kTerminated = 143;

bool waits_for(const std::vector<std::size_t>& dependencies, std::size_t container) {
  return std::ranges::find(dependencies, container) != dependencies.end();
}

}  // namespace

Status PodRun::order_set() {
  const std::string_view text = doc::find_string(*pod_, "metadata", "annotations", kContainerSetAnnotation);
  if (text.empty()) return {};
  auto graph = doc::parse_json(text);
  if (!graph) return std::unexpected(graph.error().in("the order of the pod's containers cannot be read"));
  const auto find = [&](std::string_view name) {
    return std::ranges::find_if(containers_,
                                [&](const Container& one) { return !one.init && one.spec.container_name == name; });
  };
  for (Container& container : containers_) {
    const doc::Value* dependencies = container.init ? nullptr : doc::find(*graph, container.spec.container_name);
    if (!dependencies || !dependencies->is_array()) continue;
    container.in_set = true;
    for (const doc::Value& dependency : dependencies->get_array()) {
      const auto found = find(doc::scalar_text(dependency));
      if (found == containers_.end()) {
        return fail(Code::kInvalidArgument, fmt::format("container \"{}\" depends on \"{}\", which the pod has not",
                                                        container.spec.container_name, doc::scalar_text(dependency)));
      }
      container.waits_for.push_back(static_cast<std::size_t>(found - containers_.begin()));
    }
  }
  return {};
}

/// All that nothing keeps from starting; sidecars among them.
void PodRun::start_set() {
  for (std::size_t i = next_; i < containers_.size() && !stopping_; ++i) {
    if (containers_[i].asked || containers_[i].report.exit) continue;
    const bool due = std::ranges::all_of(containers_[i].waits_for, [&](std::size_t before) {
      return containers_[before].report.exit && containers_[before].report.exit->exit_code == 0;
    });
    if (due) start(i);
  }
}

void PodRun::end_waiting() {
  for (Container& container : containers_) {
    if (container.in_set && !container.asked && !container.report.exit) end_unstarted(container, kTerminated, "");
  }
}

void PodRun::end_unstarted(Container& container, int exit_code, std::string message) {
  container.report.exit = ContainerExit{.exit_code = exit_code,
                                        .signal = 0,
                                        .reason = "Error",
                                        .message = std::move(message),
                                        .started_at = {},
                                        .finished_at = world_.executor.now()};
}

void PodRun::container_of_set_ended(std::size_t index) {
  const Container& ended = containers_[index];
  const int exit_code = ended.report.exit->exit_code;
  if (exit_code != 0) {
    // As each emissary that waits for another one sees it; theirs is what those after them see.
    std::vector<std::size_t> failed = {index};
    for (std::size_t at = 0; at < failed.size(); ++at) {
      for (std::size_t i = 0; i < containers_.size(); ++i) {
        Container& container = containers_[i];
        if (container.asked || container.report.exit || !waits_for(container.waits_for, failed[at])) continue;
        end_unstarted(container, kDependencyFailed,
                      fmt::format("dependency \"{}\" exited with non-zero code: {}",
                                  containers_[failed[at]].spec.container_name, exit_code));
        failed.push_back(i);
      }
    }
    stop_all(grace());
  }
  const bool all =
      std::ranges::all_of(containers_, [](const Container& one) { return !one.in_set || one.report.exit; });
  // When they have ended the sidecars have nothing left to serve.
  if (all && !stopping_) stop_all(grace());
  if (!stopping_) start_set();
}

}  // namespace tiphys::node

// Init containers that keep running (restartPolicy: Always), which Kubernetes calls sidecars: the next container starts
// once one has started, they are started again whatever they end with, and end after all others, the last one first.
#include <algorithm>

#include "node/agent/pod_run.h"

namespace tiphys::node {
namespace {

/// What a sidecar has left when its turn comes late, as a kubelet gives it.
constexpr Duration kLeastGrace = std::chrono::seconds(2);

}  // namespace

/// For good: those that are started again have no end.
bool PodRun::init_failed() const {
  return std::ranges::any_of(containers_, [](const Container& one) {
    return one.init && !one.sidecar && one.report.exit && one.report.exit->exit_code != 0;
  });
}

/// Of all others nothing runs, and nothing is to start.
bool PodRun::only_sidecars_left() const {
  const bool none_else = std::ranges::all_of(
      containers_, [](const Container& one) { return one.sidecar || one.report.exit || !one.asked; });
  return none_else && (stopping_ || next_ == containers_.size() || init_failed());
}

/// Nothing starts any more, and the time of those that run is `grace`, unless it was shorter.
void PodRun::begin_to_end(Duration grace) {
  stopping_ = true;
  const Time now = world_.executor.now();
  const Time by = grace > Time::max() - now ? Time::max() : now + grace;
  end_by_ = end_by_ ? std::min(*end_by_, by) : by;
  end_waiting();
}

/// Their time has come when the others have ended. One ends after the other, as those before may serve it.
void PodRun::end_sidecars() {
  if (settled_ || !has_sidecars() || !only_sidecars_left()) return;
  if (!stopping_) {
    begin_to_end(grace());
    give_up_restarts();
  }
  for (std::size_t i = containers_.size(); i-- > 0;) {
    Container& container = containers_[i];
    if (!container.sidecar || !runs(container)) continue;
    if (std::exchange(container.ending, true)) return;
    return kill(i, std::max(*end_by_ - world_.executor.now(), kLeastGrace));
  }
}

bool PodRun::has_sidecars() const {
  return std::ranges::any_of(containers_, &Container::sidecar);
}

}  // namespace tiphys::node

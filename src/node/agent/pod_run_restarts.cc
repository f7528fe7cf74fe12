// Containers that are started again when they end (restartPolicy Always and OnFailure, and sidecars), as a kubelet does
// it: at once the first time, then after 10 s, twice that each further time up to 5 minutes; one that ran for 10
// minutes begins anew.
//
// Each start is a container of its own, `<id>.<restart>`. That it is the next one stands in the pod's status before it
// is started, so an agent that takes over finds it, and the one before is freed only then.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "node/agent/pod_run.h"

namespace tiphys::node {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstBackoff = 10s;
constexpr Duration kLongestBackoff = 5min;
constexpr Duration kSteady = 10min;
constexpr Duration kRetry = 1s;

Duration backoff(int crashes) {
  if (crashes == 0) return {};
  return crashes > 5 ? kLongestBackoff : std::min(kFirstBackoff * (1 << (crashes - 1)), kLongestBackoff);
}

const doc::Value* status_of(const doc::Value& pod, bool init, std::string_view name) {
  const doc::Value* list = doc::find(pod, "status", init ? "initContainerStatuses" : "containerStatuses");
  if (!list || !list->is_array()) return nullptr;
  for (const doc::Value& status : list->get_array()) {
    if (doc::find_string(status, "name") == name) return &status;
  }
  return nullptr;
}

ContainerExit exit_of(const doc::Value& terminated) {
  ContainerExit exit;
  const doc::Value* code = doc::find(terminated, "exitCode");
  if (code && code->is_int64()) exit.exit_code = static_cast<int>(code->get_int64());
  exit.reason = doc::find_string(terminated, "reason");
  exit.message = doc::find_string(terminated, "message");
  exit.started_at = parse_rfc3339(doc::find_string(terminated, "startedAt")).value_or(Time{});
  exit.finished_at = parse_rfc3339(doc::find_string(terminated, "finishedAt")).value_or(Time{});
  return exit;
}

std::string id_of(const std::string& first, int restarts) {
  return restarts == 0 ? first : fmt::format("{}.{}", first, restarts);
}

}  // namespace

bool PodRun::is_restarted(const Container& container) const {
  if (stopping_ || settled_ || !reason_.empty() || container.in_set) return false;
  if (container.sidecar) return true;
  const auto policy = doc::find_string(*pod_, "spec", "restartPolicy");
  const bool failed = container.report.exit->exit_code != 0;
  if (policy == "Always") return failed || !container.init;
  return policy == "OnFailure" && failed;
}

void PodRun::back_off(std::size_t index) {
  Container& container = containers_[index];
  ContainerReport& report = container.report;
  report.last = std::exchange(report.exit, std::nullopt);
  report.has_started = false;
  container.failure.clear();
  container.kill_grace = {};
  container.told = false;
  const Time began = std::exchange(report.started_at, Time{});
  const Time ended = report.last->finished_at;
  if (began != Time{} && ended - began >= kSteady) container.crashes = 0;
  const Duration delay = backoff(container.crashes++);
  report.waiting_reason = report.last->reason == "ErrImagePull" ? "ImagePullBackOff" : "CrashLoopBackOff";
  report.waiting_message =
      fmt::format("back-off {} restarting failed container={} pod={}_{}({})", format_go_duration(delay), report.name,
                  key_.name, key_.ns, doc::find_string(*pod_, "metadata", "uid"));
  if (delay != Duration{}) report_soon();
  container.restart = world_.executor.schedule(ended + delay, [weak = weak_from_this(), index] {
    if (const auto self = weak.lock()) self->restart(index);
  });
}

void PodRun::restart(std::size_t index) {
  Container& container = containers_[index];
  container.restart = 0;
  if (stopping_ || settled_) return;
  ContainerReport next = container.report;
  ++next.restarts;
  next.waiting_reason = "ContainerCreating";
  next.waiting_message.clear();
  std::swap(container.report, next);
  PodReport told = report(main_started() ? "Running" : "Pending");
  std::swap(container.report, next);
  world_.cluster.patch(key_, cluster::PatchType::kMerge, report_patch(told, *pod_, world_.executor.now()),
                       [self = shared_from_this(), index](const Result<cluster::Object>& written) {
                         Container& one = self->containers_[index];
                         if (self->stopping_ || self->settled_) return;
                         if (!written) {
                           log::warn("pod {}/{}: container {} is started again later: {}", self->key_.ns,
                                     self->key_.name, one.report.name, written.error().message);
                           one.restart = self->world_.executor.schedule(self->world_.executor.now() + kRetry,
                                                                        [self, index] { self->restart(index); });
                           return;
                         }
                         const std::string before = one.spec.id;
                         ++one.report.restarts;
                         one.spec.id =
                             id_of(before.substr(0, before.find('.', before.find('.') + 1)), one.report.restarts);
                         self->runtime_.remove(before);
                         std::error_code error;
                         std::filesystem::rename(one.spec.dir + "/log", one.spec.dir + "/log.previous", error);
                         one.report.waiting_reason.clear();
                         one.report.waiting_message.clear();
                         self->start(index);
                       });
}

void PodRun::give_up_restarts() {
  bool any = false;
  for (Container& container : containers_) {
    if (container.report.waiting_reason.empty()) continue;
    world_.executor.cancel(std::exchange(container.restart, 0));
    container.report.waiting_reason.clear();
    container.report.exit = std::exchange(container.report.last, std::nullopt);
    any = true;
  }
  // Later: whoever stops the pod is not done.
  if (!any || !none_runs()) return;
  world_.executor.post([self = shared_from_this()] {
    if (!self->settled_ && self->none_runs()) self->all_ended();
  });
}

void PodRun::take_up_restarts() {
  for (Container& container : containers_) {
    const doc::Value* status = status_of(*pod_, container.init, container.spec.container_name);
    const doc::Value* restarts = status ? doc::find(*status, "restartCount") : nullptr;
    if (!restarts || !restarts->is_int64() || restarts->get_int64() == 0) continue;
    container.report.restarts = static_cast<int>(restarts->get_int64());
    container.crashes = container.report.restarts;
    // Unless a crash came first it has gone.
    runtime_.remove(id_of(container.spec.id, container.report.restarts - 1));
    container.spec.id = id_of(container.spec.id, container.report.restarts);
    const doc::Value* last = doc::find(*status, "lastState", "terminated");
    if (last) container.report.last = exit_of(*last);
  }
}

}  // namespace tiphys::node

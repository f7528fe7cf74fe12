#include "controllers/pod_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cluster/pod_annotations.h"
#include "controllers/names.h"
#include "controllers/resources_duration.h"

namespace tiphys::controllers {
namespace {

using Phase = engine::PodChanged::Phase;

struct Verdict {
  Phase phase;
  std::string message;
};

/// Container statuses of one list ("containerStatuses"), in the pod's order.
std::vector<const doc::Value*> statuses(const doc::Value& pod, std::string_view list) {
  std::vector<const doc::Value*> found;
  const doc::Value* member = doc::find(pod, "status", list);
  if (!member || !member->is_array()) return found;
  for (const doc::Value& status : member->get_array()) found.push_back(&status);
  return found;
}

const doc::Value* terminated(const doc::Value& status) {
  const doc::Value* state = doc::find(status, "state", "terminated");
  return state && state->is_object() ? state : nullptr;
}

int exit_code(const doc::Value& terminated_state) {
  const doc::Value* code = doc::find(terminated_state, "exitCode");
  return code && code->is_int64() ? static_cast<int>(code->get_int64()) : 0;
}

/// Argo's own containers, which our node agent has none of but a plane with the original's executor has.
bool is_wait(std::string_view name) {
  return name == "wait" || name == "supervisor";
}

std::string pending_reason(const doc::Value& pod) {
  for (const doc::Value* status : statuses(pod, "containerStatuses")) {
    const doc::Value* waiting = doc::find(*status, "state", "waiting");
    if (!waiting || !waiting->is_object()) continue;
    const std::string_view reason = doc::find_string(*waiting, "reason");
    const std::string_view message = doc::find_string(*waiting, "message");
    return message.empty() ? std::string(reason) : fmt::format("{}: {}", reason, message);
  }
  for (const doc::Value* condition : statuses(pod, "conditions")) {
    if (doc::find_string(*condition, "reason") != "Unschedulable") continue;
    const std::string_view message = doc::find_string(*condition, "message");
    return message.empty() ? "Unschedulable" : fmt::format("Unschedulable: {}", message);
  }
  return "";
}

/// The containers that do the pod's work: main, or those of a containerSet.
class WorkingContainers {
 public:
  explicit WorkingContainers(const doc::Value& pod) {
    const std::string_view text = doc::find_string(pod, "metadata", "annotations", cluster::kContainerSetAnnotation);
    auto graph = text.empty() ? Result<doc::Value>(doc::Value()) : doc::parse_json(text);
    if (!graph || !graph->is_object()) return;
    for (const auto& [name, dependencies] : graph->get_object()) set_.emplace_back(name);
  }

  bool is_set() const { return !set_.empty(); }
  bool has(std::string_view name) const {
    return is_set() ? std::ranges::find(set_, name) != set_.end() : name == kMainContainer;
  }

 private:
  std::vector<std::string> set_;
};

/// How early a failed container is looked at: init containers, those that work, Argo's own, sidecars. Of a
/// containerSet first what failed by itself, then what did because another one had: it was ended, or never began.
int blame_order(const doc::Value& status, const WorkingContainers& working) {
  const std::string_view name = doc::find_string(status, "name");
  if (!working.has(name)) return is_wait(name) ? 3 : 4;
  if (!working.is_set()) return 1;
  const doc::Value* state = terminated(status);
  const int code = state ? exit_code(*state) : 0;
  return code == 64 || code == 137 || code == 143 ? 2 : 1;
}

std::string failure_message(std::string_view container, const doc::Value& state) {
  std::string text =
      fmt::format("{}: {} (exit code {})", container, doc::find_string(state, "reason"), exit_code(state));
  if (const std::string_view message = doc::find_string(state, "message"); !message.empty()) {
    text += fmt::format(": {}", message);
  }
  return text;
}

/// An init container that keeps running, whatever it ends with.
bool is_restarted(const doc::Value& pod, std::string_view init_container) {
  const doc::Value* list = doc::find(pod, "spec", "initContainers");
  return list && list->is_array() && std::ranges::any_of(list->get_array(), [&](const doc::Value& one) {
           return doc::find_string(one, "name") == init_container && doc::find_string(one, "restartPolicy") == "Always";
         });
}

std::vector<const doc::Value*> containers_by_blame(const doc::Value& pod, const WorkingContainers& working) {
  std::vector<const doc::Value*> containers = statuses(pod, "containerStatuses");
  std::stable_sort(containers.begin(), containers.end(), [&](const doc::Value* a, const doc::Value* b) {
    return blame_order(*a, working) < blame_order(*b, working);
  });
  std::vector<const doc::Value*> all = statuses(pod, "initContainerStatuses");
  std::erase_if(all, [&](const doc::Value* one) { return is_restarted(pod, doc::find_string(*one, "name")); });
  all.insert(all.end(), containers.begin(), containers.end());
  return all;
}

Verdict failed_reason(const doc::Value& pod) {
  if (const std::string_view message = doc::find_string(pod, "status", "message"); !message.empty()) {
    return {Phase::kFailed, std::string(message)};
  }
  const WorkingContainers working(pod);
  const std::vector<const doc::Value*> containers = containers_by_blame(pod, working);
  if (containers.empty()) {
    return {Phase::kFailed,
            fmt::format("can't find failed message for pod {} namespace {}", doc::find_string(pod, "metadata", "name"),
                        doc::find_string(pod, "metadata", "namespace"))};
  }
  bool main_succeeded = false;
  bool has_wait = false;
  bool wait_succeeded = false;
  for (const doc::Value* container : containers) {
    const std::string_view name = doc::find_string(*container, "name");
    has_wait = has_wait || is_wait(name);
    if (const doc::Value* waiting = doc::find(*container, "state", "waiting"); waiting && waiting->is_object()) {
      return {Phase::kError, fmt::format("Pod failed before {} container starts due to {}: {}", name,
                                         doc::find_string(*waiting, "reason"), doc::find_string(*waiting, "message"))};
    }
    const doc::Value* state = terminated(*container);
    if (!state) continue;
    const int code = exit_code(*state);
    if (code == 0) {
      main_succeeded = main_succeeded || working.has(name);
      wait_succeeded = wait_succeeded || is_wait(name);
      continue;
    }
    if (name == "init" || is_wait(name)) return {Phase::kError, failure_message(name, *state)};
    // A sidecar that was killed when main ended has done nothing wrong.
    const bool killed_sidecar = !working.has(name) && (code == 137 || code == 143);
    if (!killed_sidecar) return {Phase::kFailed, failure_message(name, *state)};
  }
  // Pods of our own node agent have no wait container: nothing stands between main's success and the pod's.
  if (!has_wait) wait_succeeded = true;
  if (main_succeeded && wait_succeeded) return {Phase::kSucceeded, ""};
  if (main_succeeded) return {Phase::kFailed, "pod failed: wait container did not complete successfully"};
  if (has_wait && wait_succeeded) return {Phase::kFailed, "pod failed: main container did not complete successfully"};
  return {Phase::kFailed, "pod failed: neither main nor wait container completed successfully"};
}

Verdict judge(const doc::Value& pod) {
  const std::string_view phase = doc::find_string(pod, "status", "phase");
  if (phase.empty() || phase == "Pending") return {Phase::kPending, pending_reason(pod)};
  if (phase == "Running") return {Phase::kRunning, ""};
  if (phase == "Succeeded") return {Phase::kSucceeded, ""};
  if (phase == "Failed") return failed_reason(pod);
  return {Phase::kError,
          fmt::format("Unexpected pod phase for {}: {}", doc::find_string(pod, "metadata", "name"), phase)};
}

Time time_of(const doc::Value& state, std::string_view field) {
  return parse_rfc3339(doc::find_string(state, field)).value_or(Time{});
}

void read_times(const doc::Value& pod, engine::PodChanged& change) {
  for (const std::string_view list : {"initContainerStatuses", "containerStatuses"}) {
    for (const doc::Value* status : statuses(pod, list)) {
      for (const std::string_view kind : {"running", "terminated"}) {
        const doc::Value* state = doc::find(*status, "state", kind);
        if (!state) continue;
        const Time started = time_of(*state, "startedAt");
        if (started != Time{} && (change.started_at == Time{} || started < change.started_at)) {
          change.started_at = started;
        }
        change.finished_at = std::max(change.finished_at, time_of(*state, "finishedAt"));
      }
    }
  }
}

void read_main_exit_code(const doc::Value& pod, engine::PodChanged& change) {
  for (const doc::Value* status : statuses(pod, "containerStatuses")) {
    if (doc::find_string(*status, "name") != kMainContainer) continue;
    if (const doc::Value* state = terminated(*status)) change.exit_code = exit_code(*state);
  }
}

void read_containers(const doc::Value& pod, engine::PodChanged& change) {
  const WorkingContainers working(pod);
  if (!working.is_set()) return;
  using State = engine::PodChanged::Container::State;
  for (const doc::Value* status : statuses(pod, "containerStatuses")) {
    engine::PodChanged::Container container;
    container.name = doc::find_string(*status, "name");
    if (!working.has(container.name)) continue;
    if (const doc::Value* state = terminated(*status)) {
      container.state = State::kEnded;
      container.exit_code = exit_code(*state);
      container.finished_at = time_of(*state, "finishedAt");
      if (container.exit_code != 0) container.message = failure_message(container.name, *state);
    } else if (doc::find(*status, "state", "running")) {
      container.state = State::kRunning;
    }
    change.containers.push_back(std::move(container));
  }
}

void read_outputs(const doc::Value& pod, engine::PodChanged& change) {
  const std::string_view text = doc::find_string(pod, "metadata", "annotations", cluster::kOutputsAnnotation);
  if (text.empty()) return;
  Result<doc::Value> document = doc::parse_json(text);
  Result<api::Outputs> outputs = document ? api::parse_outputs(*document) : std::unexpected(document.error());
  if (outputs) {
    change.outputs = std::move(*outputs);
    return;
  }
  change.phase = Phase::kError;
  change.message = fmt::format("the outputs of pod {} cannot be read: {}", doc::find_string(pod, "metadata", "name"),
                               outputs.error().message);
}

bool ready(const doc::Value& pod) {
  return std::ranges::all_of(statuses(pod, "containerStatuses"), [](const doc::Value* status) {
    const doc::Value* flag = doc::find(*status, "ready");
    return flag && flag->is_bool() && flag->get_bool();
  });
}

bool ended(Phase phase) {
  return phase == Phase::kSucceeded || phase == Phase::kFailed || phase == Phase::kError;
}

}  // namespace

std::string_view node_id_of_pod(const doc::Value& pod) {
  const std::string_view id = doc::find_string(pod, "metadata", "annotations", kNodeIdAnnotation);
  return id.empty() ? doc::find_string(pod, "metadata", "name") : id;
}

engine::PodChanged read_pod(const doc::Value& pod) {
  engine::PodChanged change;
  change.node_id = node_id_of_pod(pod);
  Verdict verdict = judge(pod);
  change.phase = verdict.phase;
  change.ready = ready(pod);
  change.message = std::move(verdict.message);
  change.host_node_name = doc::find_string(pod, "spec", "nodeName");
  change.pod_ip = doc::find_string(pod, "status", "podIP");
  read_times(pod, change);
  read_main_exit_code(pod, change);
  read_containers(pod, change);
  read_outputs(pod, change);
  change.progress = parse_progress(doc::find_string(pod, "metadata", "annotations", cluster::kProgressAnnotation));
  if (ended(change.phase)) change.resources_duration = resources_duration(pod);
  return change;
}

engine::PodChanged gone_pod(std::string node_id) {
  engine::PodChanged change;
  change.node_id = std::move(node_id);
  change.phase = Phase::kGone;
  change.message = "pod deleted";
  return change;
}

engine::PodChanged read_deleted_pod(const doc::Value& pod) {
  engine::PodChanged change = read_pod(pod);
  if (ended(change.phase)) return change;
  change.phase = Phase::kGone;
  change.message = "pod deleted";
  return change;
}

}  // namespace tiphys::controllers

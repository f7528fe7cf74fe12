#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "cluster/pod_phase.h"
#include "objects/columns.h"
#include "objects/human_duration.h"

namespace tiphys::objects {
namespace {

const doc::Array& list_at(const doc::Value& object, std::string_view outer, std::string_view inner) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(object, outer, inner);
  return found && found->is_array() ? found->get_array() : kNone;
}

std::int64_t number_at(const doc::Value& object, std::string_view key) {
  const doc::Value* found = doc::find(object, key);
  return found && found->is_int64() ? found->get_int64() : 0;
}

bool is_true_at(const doc::Value& object, std::string_view key) {
  const doc::Value* found = doc::find(object, key);
  return found && found->is_bool() && found->get_bool();
}

/// Why a container has ended: "Completed", "ExitCode:3".
std::string end_of(const doc::Value& terminated) {
  const auto reason = doc::find_string(terminated, "reason");
  if (!reason.empty()) return std::string(reason);
  if (const std::int64_t signal = number_at(terminated, "signal"); signal != 0) return fmt::format("Signal:{}", signal);
  return fmt::format("ExitCode:{}", number_at(terminated, "exitCode"));
}

struct Summary {
  std::string status;
  std::size_t ready = 0;
  std::int64_t restarts = 0;
  std::string last_restart{};
};

void count_restarts(const doc::Value& container, Summary& summary) {
  summary.restarts += number_at(container, "restartCount");
  const auto ended = doc::find_string(container, "lastState", "terminated", "finishedAt");
  if (ended > summary.last_restart) summary.last_restart = ended;
}

bool keeps_running(const doc::Value& init_container) {
  return doc::find_string(init_container, "restartPolicy") == "Always";
}

/// The names of the init containers that keep running.
std::set<std::string_view> sidecars(const doc::Value& pod) {
  std::set<std::string_view> names;
  for (const doc::Value& container : list_at(pod, "spec", "initContainers")) {
    if (keeps_running(container)) names.insert(doc::find_string(container, "name"));
  }
  return names;
}

/// Goes through the init containers; true when one of them has still to end, or to start where it keeps running.
bool is_initializing(const doc::Value& pod, Summary& summary) {
  const doc::Array& statuses = list_at(pod, "status", "initContainerStatuses");
  const std::set<std::string_view> keep_running = sidecars(pod);
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    count_restarts(statuses[i], summary);
    const doc::Value* terminated = doc::find(statuses[i], "state", "terminated");
    if (terminated && number_at(*terminated, "exitCode") == 0) continue;
    if (is_true_at(statuses[i], "started") && keep_running.contains(doc::find_string(statuses[i], "name"))) {
      if (is_true_at(statuses[i], "ready")) ++summary.ready;
      continue;
    }
    const auto waiting = doc::find_string(statuses[i], "state", "waiting", "reason");
    if (terminated) {
      summary.status = "Init:" + end_of(*terminated);
    } else if (!waiting.empty() && waiting != "PodInitializing") {
      summary.status = fmt::format("Init:{}", waiting);
    } else {
      summary.status = fmt::format("Init:{}/{}", i, list_at(pod, "spec", "initContainers").size());
    }
    return true;
  }
  return false;
}

/// Its own containers have begun: what an init container that keeps running does meanwhile is not what it waits for.
bool has_begun(const doc::Value& pod) {
  return std::ranges::any_of(list_at(pod, "status", "containerStatuses"), [](const doc::Value& status) {
    return doc::find(status, "state", "running") || doc::find(status, "state", "terminated");
  });
}

/// Of the init containers, those that keep running: the others are past.
void count_sidecars(const doc::Value& pod, Summary& summary) {
  const std::set<std::string_view> keep_running = sidecars(pod);
  for (const doc::Value& status : list_at(pod, "status", "initContainerStatuses")) {
    if (keep_running.contains(doc::find_string(status, "name"))) count_restarts(status, summary);
  }
}

void look_at_containers(const doc::Value& pod, Summary& summary) {
  const doc::Array& statuses = list_at(pod, "status", "containerStatuses");
  bool running = false;
  for (std::size_t i = statuses.size(); i-- > 0;) {
    count_restarts(statuses[i], summary);
    const auto waiting = doc::find_string(statuses[i], "state", "waiting", "reason");
    if (!waiting.empty()) {
      summary.status = waiting;
    } else if (const doc::Value* terminated = doc::find(statuses[i], "state", "terminated")) {
      summary.status = end_of(*terminated);
    } else if (is_true_at(statuses[i], "ready") && doc::find(statuses[i], "state", "running")) {
      running = true;
      ++summary.ready;
    }
  }
  if (summary.status != "Completed" || !running) return;
  summary.status = cluster::pod_ready(pod) ? "Running" : "NotReady";
}

Summary summarize(const doc::Value& pod) {
  std::string phase(doc::find_string(pod, "status", "phase"));
  if (const auto reason = doc::find_string(pod, "status", "reason"); !reason.empty()) phase = reason;
  Summary summary{.status = phase};
  if (!is_initializing(pod, summary) || has_begun(pod)) {
    summary.status = std::move(phase);
    summary.restarts = 0;
    summary.last_restart.clear();
    count_sidecars(pod, summary);
    look_at_containers(pod, summary);
  }
  if (!doc::find_string(pod, "metadata", "deletionTimestamp").empty() && !cluster::pod_ended(pod)) {
    summary.status = "Terminating";
  }
  return summary;
}

}  // namespace

doc::Value pod_ready_cell(const doc::Value& pod, Time) {
  const std::size_t count = list_at(pod, "spec", "containers").size() + sidecars(pod).size();
  return doc::Value(fmt::format("{}/{}", summarize(pod).ready, count));
}

doc::Value pod_status_cell(const doc::Value& pod, Time) {
  return doc::Value(summarize(pod).status);
}

doc::Value pod_restarts_cell(const doc::Value& pod, Time now) {
  const Summary summary = summarize(pod);
  if (summary.restarts == 0 || summary.last_restart.empty()) return doc::Value(std::to_string(summary.restarts));
  return doc::Value(fmt::format("{} ({} ago)", summary.restarts, age_since(summary.last_restart, now)));
}

}  // namespace tiphys::objects

#include "node/agent/pod_report.h"

#include <algorithm>

#include "node/agent/pod_io.h"

namespace tiphys::node {
namespace {

doc::Object terminated(const ContainerExit& exit) {
  doc::Object state{{"exitCode", exit.exit_code},
                    {"reason", exit.reason.empty() ? (exit.exit_code == 0 ? "Completed" : "Error") : exit.reason}};
  if (exit.signal != 0) state["signal"] = exit.signal;
  if (!exit.message.empty()) state["message"] = exit.message;
  if (exit.started_at != Time{}) state["startedAt"] = format_rfc3339(exit.started_at);
  if (exit.finished_at != Time{}) state["finishedAt"] = format_rfc3339(exit.finished_at);
  return state;
}

doc::Object container_status(const ContainerReport& container, bool ready, std::string_view waits_for) {
  doc::Object state;
  if (container.exit) {
    state["terminated"] = terminated(*container.exit);
  } else if (!container.waiting_reason.empty()) {
    state["waiting"] = doc::Object{{"reason", container.waiting_reason}, {"message", container.waiting_message}};
  } else if (container.started_at != Time{}) {
    state["running"] = doc::Object{{"startedAt", format_rfc3339(container.started_at)}};
  } else {
    state["waiting"] = doc::Object{{"reason", waits_for}};
  }
  const bool running = state.contains("running");
  doc::Object status{{"name", container.name},
                     {"image", container.image},
                     {"imageID", ""},
                     {"ready", ready},
                     {"started", running && container.has_started},
                     {"restartCount", container.restarts},
                     {"state", std::move(state)}};
  if (container.last) status["lastState"] = doc::Object{{"terminated", terminated(*container.last)}};
  return status;
}

/// What a kubelet tells beyond what a workflow's controller reads.
void complete_container(const ContainerReport& container, doc::Object& status) {
  if (!container.id.empty()) status["containerID"] = "tiphys://" + container.id;
  status["imageID"] = container.image;
  if (!status.contains("lastState")) status["lastState"] = doc::Object();
}

/// Of an init container: those after it need not wait for it any more.
bool initialized(const ContainerReport& container, const PodReport& report) {
  if (!container.sidecar) return container.exit && container.exit->exit_code == 0;
  return report.phase == "Succeeded" || (container.has_started && !container.exit);
}

bool is_ready(const ContainerReport& container) {
  return container.sidecar ? container.ready : container.exit && container.exit->exit_code == 0;
}

doc::Object condition(std::string_view type, bool holds) {
  return {{"type", type}, {"status", holds ? "True" : "False"}};
}

/// When a condition got the status that it has now.
std::string since(const doc::Value& pod, std::string_view type, std::string_view value, Time now) {
  const doc::Value* conditions = doc::find(pod, "status", "conditions");
  if (!conditions || !conditions->is_array()) return format_rfc3339(now);
  for (const doc::Value& one : conditions->get_array()) {
    const auto at = doc::find_string(one, "lastTransitionTime");
    if (doc::find_string(one, "type") == type && doc::find_string(one, "status") == value && !at.empty()) {
      return std::string(at);
    }
  }
  return format_rfc3339(now);
}

std::string names_of_unready(const PodReport& report) {
  std::string names;
  for (const ContainerReport& container : report.init_containers) {
    if (container.sidecar && !container.ready) names += (names.empty() ? "" : " ") + container.name;
  }
  for (const ContainerReport& container : report.containers) {
    if (!container.ready) names += (names.empty() ? "" : " ") + container.name;
  }
  return "containers with unready status: [" + names + "]";
}

/// The conditions of a pod that no workflow has made (k8s.io/kubernetes/pkg/kubelet/status/generate.go).
doc::Array conditions(const PodReport& report, const doc::Value& pod, Time now, bool prepared, bool ready) {
  const bool over = report.phase == "Succeeded" || report.phase == "Failed";
  doc::Array all;
  const auto add = [&](std::string_view type, bool holds, std::string_view reason, std::string message) {
    doc::Object made = condition(type, holds);
    made["lastProbeTime"] = nullptr;
    made["lastTransitionTime"] = since(pod, type, holds ? "True" : "False", now);
    if (!reason.empty()) made["reason"] = reason;
    if (!message.empty()) made["message"] = std::move(message);
    all.push_back(std::move(made));
  };
  const bool succeeded = report.phase == "Succeeded";
  const std::string_view why = ready ? "" : succeeded ? "PodCompleted" : over ? "PodFailed" : "ContainersNotReady";
  const std::string names = ready || over ? "" : names_of_unready(report);
  add("PodReadyToStartContainers", !over, "", "");
  add("Initialized", prepared, prepared ? (succeeded ? "PodCompleted" : "") : "ContainersNotInitialized", "");
  add("Ready", ready, why, names);
  add("ContainersReady", ready, why, names);
  add("PodScheduled", true, "", "");
  return all;
}

void add_containers(const PodReport& report, const doc::Value& pod, Time now, doc::Object& status) {
  const bool whole = !is_of_workflow(pod);
  const bool prepared = std::ranges::all_of(
      report.init_containers, [&](const ContainerReport& container) { return initialized(container, report); });
  bool ready = true;
  doc::Array init;
  for (const ContainerReport& container : report.init_containers) {
    ready = ready && (!container.sidecar || container.ready);
    init.push_back(container_status(container, is_ready(container), "PodInitializing"));
    if (whole) complete_container(container, init.back().get_object());
  }
  doc::Array containers;
  for (const ContainerReport& container : report.containers) {
    ready = ready && container.ready;
    containers.push_back(
        container_status(container, container.ready, prepared ? "ContainerCreating" : "PodInitializing"));
    if (whole) complete_container(container, containers.back().get_object());
  }
  if (!init.empty()) status["initContainerStatuses"] = std::move(init);
  if (containers.empty()) return;
  status["containerStatuses"] = std::move(containers);
  status["conditions"] = whole ? conditions(report, pod, now, prepared, ready) : doc::Array{condition("Ready", ready)};
}

const doc::Value* quantity(const doc::Value& container, std::string_view list, std::string_view resource) {
  return doc::find(container, "resources", list, resource);
}

}  // namespace

std::string_view qos_class(const doc::Value& pod) {
  bool any = false, all = true;
  for (const char* list : {"containers", "initContainers"}) {
    const doc::Value* containers = doc::find(pod, "spec", list);
    if (!containers || !containers->is_array()) continue;
    for (const doc::Value& container : containers->get_array()) {
      for (const char* resource : {"cpu", "memory"}) {
        const doc::Value* limit = quantity(container, "limits", resource);
        const doc::Value* request = quantity(container, "requests", resource);
        any = any || limit || request;
        all = all && limit && (!request || *request == *limit);
      }
    }
  }
  if (!any) return "BestEffort";
  return all ? "Guaranteed" : "Burstable";
}

bool is_of_workflow(const doc::Value& pod) {
  return doc::find(pod, "metadata", "labels", "workflows.argoproj.io/workflow") != nullptr;
}

doc::Value report_patch(const PodReport& report, const doc::Value& pod, Time now) {
  doc::Object status{{"phase", report.phase}};
  if (!report.reason.empty()) status["reason"] = report.reason;
  if (!report.message.empty()) status["message"] = report.message;
  if (report.started_at != Time{}) {
    status["startTime"] = format_rfc3339(report.started_at);
    status["hostIP"] = "127.0.0.1";
    status["podIP"] = report.pod_ip.empty() ? "127.0.0.1" : report.pod_ip;
  }
  if (!is_of_workflow(pod)) {
    status["qosClass"] = qos_class(pod);
    if (status.contains("podIP")) {
      status["podIPs"] = doc::Array{doc::Object{{"ip", status["podIP"]}}};
      status["hostIPs"] = doc::Array{doc::Object{{"ip", status["hostIP"]}}};
    }
  }
  add_containers(report, pod, now, status);
  doc::Object patch{{"status", std::move(status)}};
  if (!report.node_name.empty()) patch["spec"] = doc::Object{{"nodeName", report.node_name}};
  doc::Object annotations;
  if (!report.outputs.empty()) annotations[kOutputsAnnotation] = report.outputs;
  if (!report.progress.empty()) annotations[kProgressAnnotation] = report.progress;
  if (!annotations.empty()) patch["metadata"] = doc::Object{{"annotations", std::move(annotations)}};
  return patch;
}

}  // namespace tiphys::node

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
  } else if (container.started_at != Time{}) {
    state["running"] = doc::Object{{"startedAt", format_rfc3339(container.started_at)}};
  } else {
    state["waiting"] = doc::Object{{"reason", waits_for}};
  }
  const bool running = state.contains("running");
  return {{"name", container.name},
          {"image", container.image},
          {"imageID", ""},
          {"ready", ready},
          {"started", running && container.has_started},
          {"restartCount", 0},
          {"state", std::move(state)}};
}

bool succeeded(const ContainerReport& container) {
  return container.exit && container.exit->exit_code == 0;
}

doc::Object condition(std::string_view type, bool holds) {
  return {{"type", type}, {"status", holds ? "True" : "False"}};
}

void add_containers(const PodReport& report, doc::Object& status) {
  const bool initialized = std::ranges::all_of(report.init_containers, succeeded);
  doc::Array init;
  for (const ContainerReport& container : report.init_containers) {
    init.push_back(container_status(container, succeeded(container), "PodInitializing"));
  }
  doc::Array containers;
  bool ready = true;
  for (const ContainerReport& container : report.containers) {
    ready = ready && container.ready;
    containers.push_back(
        container_status(container, container.ready, initialized ? "ContainerCreating" : "PodInitializing"));
  }
  if (!init.empty()) status["initContainerStatuses"] = std::move(init);
  if (containers.empty()) return;
  status["containerStatuses"] = std::move(containers);
  status["conditions"] = doc::Array{condition("Ready", ready)};
}

}  // namespace

doc::Value report_patch(const PodReport& report) {
  doc::Object status{{"phase", report.phase}};
  if (!report.reason.empty()) status["reason"] = report.reason;
  if (!report.message.empty()) status["message"] = report.message;
  if (report.started_at != Time{}) {
    status["startTime"] = format_rfc3339(report.started_at);
    status["hostIP"] = "127.0.0.1";
    status["podIP"] = report.pod_ip.empty() ? "127.0.0.1" : report.pod_ip;
  }
  add_containers(report, status);
  doc::Object patch{{"status", std::move(status)}};
  if (!report.node_name.empty()) patch["spec"] = doc::Object{{"nodeName", report.node_name}};
  if (!report.outputs.empty())
    patch["metadata"] = doc::Object{{"annotations", doc::Object{{kOutputsAnnotation, report.outputs}}}};
  return patch;
}

}  // namespace tiphys::node

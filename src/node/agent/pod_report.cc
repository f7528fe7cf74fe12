#include "node/agent/pod_report.h"

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

doc::Object container_status(const ContainerReport& container) {
  doc::Object state;
  if (container.exit) {
    state["terminated"] = terminated(*container.exit);
  } else if (container.started_at != Time{}) {
    state["running"] = doc::Object{{"startedAt", format_rfc3339(container.started_at)}};
  } else {
    state["waiting"] = doc::Object{{"reason", "ContainerCreating"}};
  }
  const bool running = state.contains("running");
  return {{"name", container.name},   {"image", container.image}, {"imageID", ""},
          {"ready", running},         {"started", running},       {"restartCount", 0},
          {"state", std::move(state)}};
}

}  // namespace

doc::Value report_patch(const PodReport& report) {
  doc::Object status{{"phase", report.phase}};
  if (!report.reason.empty()) status["reason"] = report.reason;
  if (!report.message.empty()) status["message"] = report.message;
  if (report.started_at != Time{}) {
    status["startTime"] = format_rfc3339(report.started_at);
    status["hostIP"] = "127.0.0.1";
    status["podIP"] = "127.0.0.1";
  }
  doc::Array containers;
  bool ready = !report.containers.empty();
  for (const ContainerReport& container : report.containers) {
    containers.push_back(container_status(container));
    ready = ready && !container.exit && container.started_at != Time{};
  }
  if (!containers.empty()) {
    status["containerStatuses"] = std::move(containers);
    status["conditions"] = doc::Array{doc::Object{{"type", "Ready"}, {"status", ready ? "True" : "False"}}};
  }
  doc::Object patch{{"status", std::move(status)}};
  if (!report.node_name.empty()) patch["spec"] = doc::Object{{"nodeName", report.node_name}};
  if (!report.outputs.empty())
    patch["metadata"] = doc::Object{{"annotations", doc::Object{{kOutputsAnnotation, report.outputs}}}};
  return patch;
}

}  // namespace tiphys::node

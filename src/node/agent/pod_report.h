// A pod's status as a kubelet writes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "doc/value.h"
#include "node/runtime.h"

namespace tiphys::node {

struct ContainerReport {
  std::string name;
  std::string image;
  bool sidecar = false;               ///< an init container that keeps running
  Time started_at{};                  ///< set while it runs
  bool has_started = false;           ///< its startup probe has said so, if it has one
  bool ready = false;                 ///< it runs, and its readiness probe says so if it has one
  std::optional<ContainerExit> exit;  ///< set when it has ended
  int restarts = 0;                   ///< how often it was started again
  std::optional<ContainerExit> last;  ///< how it ended before
  std::string waiting_reason;         ///< why it does not run, when it is to be started again: CrashLoopBackOff
  std::string waiting_message;
  std::string id;  ///< the runtime's
};

struct PodReport {
  std::string phase;    ///< Pending, Running, Succeeded, Failed
  std::string reason;   ///< of the whole pod: DeadlineExceeded, ...
  std::string message;  ///< of the whole pod
  Time started_at{};
  std::string node_name;
  std::string pod_ip;
  std::vector<ContainerReport> init_containers;
  std::vector<ContainerReport> containers;
  std::string progress;  ///< "N/M" that its containers have told; "" for none
  std::string outputs;   ///< Argo's Outputs as JSON, for its annotation; "" for none
};

/// Whether a workflow's controller has made it.
bool is_of_workflow(const doc::Value& pod);

/// A merge patch of the pod, at a time. `pod` as it was: what has not changed since keeps its time. A workflow's pod
/// gets what its controller reads; any other one all that a kubelet tells.
doc::Value report_patch(const PodReport& report, const doc::Value& pod, Time now);

/// status.qosClass, by what its containers ask for.
std::string_view qos_class(const doc::Value& pod);

}  // namespace tiphys::node

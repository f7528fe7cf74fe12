#include "argo/states.h"

namespace tiphys::argo {

bool has_ended(const doc::Value& workflow) {
  const std::string_view phase = doc::find_string(workflow, "status", "phase");
  return phase == "Succeeded" || phase == "Failed" || phase == "Error";
}

bool is_active_suspend(const api::NodeStatus& node) {
  return node.type == api::NodeType::kSuspend && node.phase == api::NodePhase::kRunning;
}

}  // namespace tiphys::argo

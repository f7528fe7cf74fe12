#include "argo/resubmit.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controllers/names.h"
#include "controllers/workflow_status.h"
#include "doc/yaml.h"
#include "engine/resubmit_nodes.h"
#include "store/metadata.h"

namespace tiphys::argo {
namespace {

constexpr std::array<std::string_view, 6> kLabelsOfOneRun{
    controllers::kPhaseLabel,
    controllers::kCompletedLabel,
    controllers::kArchivingStatusLabel,
    "workflows.argoproj.io/creator",
    "workflows.argoproj.io/creator-email",
    "workflows.argoproj.io/creator-preferred-username",
};
constexpr std::array<std::string_view, 3> kAnnotationsOfOneRun{
    controllers::kNodeRequestsAnnotation, controllers::kNodeRequestsDoneAnnotation, controllers::kRetryAnnotation};

doc::Object without(const doc::Value* map, std::span<const std::string_view> names) {
  doc::Object kept;
  if (!map || !map->is_object()) return kept;
  for (const auto& [name, value] : map->get_object()) {
    const std::string_view key(name);
    if (std::find(names.begin(), names.end(), key) == names.end()) kept[std::string(key)] = value;
  }
  return kept;
}

bool is_zero(const doc::Value* value) {
  return value && doc::scalar_text(*value) == "0";
}

doc::Object spec_of(const doc::Value& before) {
  constexpr std::array<std::string_view, 2> kDropped{"shutdown", "activeDeadlineSeconds"};
  const bool terminated = is_zero(doc::find(before, "spec", "activeDeadlineSeconds"));
  return without(doc::find(before, "spec"), std::span(kDropped).first(terminated ? 2 : 1));
}

}  // namespace

doc::Value resubmitted(const doc::Value& before) {
  const std::string_view name = doc::find_string(before, "metadata", "name");
  const std::string_view prefix = doc::find_string(before, "metadata", "generateName");
  doc::Object labels = without(doc::find(before, "metadata", "labels"), kLabelsOfOneRun);
  labels[std::string(kResubmittedFromLabel)] = name;
  doc::Object metadata{{"generateName", prefix.empty() ? std::string(name) + "-" : std::string(prefix)},
                       {"namespace", doc::find_string(before, "metadata", "namespace")},
                       {"labels", std::move(labels)}};
  doc::Object annotations = without(doc::find(before, "metadata", "annotations"), kAnnotationsOfOneRun);
  if (!annotations.empty()) metadata["annotations"] = std::move(annotations);
  if (const doc::Value* owners = doc::find(before, "metadata", "ownerReferences"))
    metadata["ownerReferences"] = *owners;
  return doc::Object{{"apiVersion", doc::find_string(before, "apiVersion")},
                     {"kind", doc::find_string(before, "kind")},
                     {"metadata", std::move(metadata)},
                     {"spec", spec_of(before)}};
}

Status take_over_nodes(doc::Value& workflow, const doc::Value& before, Random& random, Time now) {
  const std::string_view phase = doc::find_string(before, "status", "phase");
  if (phase != "Failed" && phase != "Error") {
    return fail(Code::kFailedPrecondition, "workflow must be Failed/Error to resubmit in memoized mode");
  }
  doc::Object& metadata = doc::ensure_object(workflow.as_object(), "metadata");
  // Nodes have the name of their workflow in theirs: it cannot be left to the plane.
  const std::string name = store::generated_name(doc::find_string(workflow, "metadata", "generateName"), random);
  metadata["name"] = name;
  TIPHYS_TRY(std::vector<api::NodeStatus> nodes, controllers::read_nodes(before));
  doc::Object copies;
  for (const api::NodeStatus& node :
       engine::resubmit_nodes(doc::find_string(before, "metadata", "name"), std::move(nodes), name, now)) {
    TIPHYS_TRY(copies[node.id], doc::parse_json(api::to_json(node)));
  }
  doc::Object status{{"nodes", std::move(copies)},
                     {"conditions", doc::Array{doc::Object{{"type", "Completed"}, {"status", "False"}}}}};
  if (const doc::Value* stored = doc::find(before, "status", "storedTemplates")) status["storedTemplates"] = *stored;
  workflow.as_object()["status"] = std::move(status);
  return {};
}

}  // namespace tiphys::argo

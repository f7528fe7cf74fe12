// What a resource template asks for, read from its manifest and flags as kubectl reads them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/workflow.h"
#include "cluster/cluster.h"
#include "cluster/selector.h"
#include "controllers/resource_runner.h"

namespace tiphys::controllers {

/// kubectl sees the manifest under this path and names it in its messages.
inline constexpr std::string_view kManifestPath = "/tmp/manifest.yaml";

struct ResourcePlan {
  enum class Action { kGet, kCreate, kApply, kPatch, kReplace, kDelete };
  /// All objects of some kinds that selectors fit, to be deleted.
  struct Selection {
    std::vector<cluster::Key> kinds;  ///< with no name
    cluster::Selector labels, fields;
  };
  struct Target {
    cluster::Key key;
    /// The manifest with its namespace, a deterministic name for generateName and the owner reference; null when only
    /// flags name the object. Of a patch, the patch.
    doc::Value manifest;
  };
  Action action = Action::kGet;
  std::vector<Target> targets;         ///< in their order; none where there is a selection
  std::optional<Selection> selection;  ///< in place of targets
  int grace_seconds = -1;              ///< for pods that are deleted
  bool wait = true;                    ///< until what is deleted is gone
  bool force = false;                  ///< of replace: what is there is deleted first
  cluster::PatchType patch_type = cluster::PatchType::kStrategic;
  bool ignore_not_found = false;
  std::string success_condition, failure_condition;
  doc::Value outputs;  ///< the template's outputs
};

/// An error's message is the original's.
Result<ResourcePlan> plan_resource(const ActionRequest& request);

/// What the original says before kubectl's words.
inline constexpr std::string_view kNoMoreRetries = "no more retries ";

/// Why an action fails that has been done to more than one object: the original reads one object from what kubectl
/// prints.
std::string_view several_objects_error(ResourcePlan::Action action);

/// An error of the plane as kubectl prints it: "Error from server (NotFound): configmaps "x" not found". `doing` is
/// "creating", "replacing", ...; "" where kubectl names no manifest.
Error kubectl_error(const Error& error, std::string_view doing);

/// The requirements of a condition, each as the original writes it ("status.failed>3").
std::vector<std::string> condition_requirements(std::string_view condition);

}  // namespace tiphys::controllers

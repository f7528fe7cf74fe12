// spec.podGC: which pods of a workflow are deleted, and when. Their logs go with them.
#pragma once

#include <set>
#include <string>

#include "base/time.h"
#include "cluster/selector.h"
#include "engine/run.h"

namespace tiphys::controllers {

class PodGc {
 public:
  /// Deletes none.
  PodGc() = default;
  /// `spec` is the workflow's; `delay` holds where it names none.
  static Result<PodGc> of(const doc::Value& spec, Duration delay = kDefaultDelay);

  /// A pod of the workflow as it is now.
  void saw(const doc::Value& pod);
  /// Names of those that are due after `delay`, with the workflow in this phase and all that was seen recorded. Each is
  /// told once. The cost is that of the names.
  std::set<std::string> take_due(engine::RunStatus::Phase phase);
  Duration delay() const { return delay_; }

 private:
  static constexpr Duration kDefaultDelay = std::chrono::seconds(5);
  enum class Strategy { kNone, kPodCompletion, kPodSuccess, kWorkflowCompletion, kWorkflowSuccess };

  Strategy strategy_ = Strategy::kNone;
  cluster::Selector labels_;
  Duration delay_ = kDefaultDelay;
  std::set<std::string> waiting_;  ///< pods whose time has not come
  std::set<std::string> due_;
};

inline constexpr std::string_view kPodGcStrategyAnnotation = "workflows.argoproj.io/pod-gc-strategy";
/// "OnPodSuccess/5s" of a workflow's spec: what its pods are annotated with. "" without podGC.
std::string pod_gc_annotation(const doc::Value& spec, Duration delay);

/// A Kubernetes LabelSelector as text: "a=b,c in (d,e)".
std::string label_selector_text(const doc::Value& selector);

}  // namespace tiphys::controllers

// Counts for each PodDisruptionBudget of a plane how many of its pods may be evicted. Who asks for an eviction is
// answered by objects/eviction.h.
#pragma once

#include <map>
#include <memory>

#include "controllers/workloads/disruption_plan.h"
#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers::workloads {

class DisruptionController : public std::enable_shared_from_this<DisruptionController> {
 public:
  explicit DisruptionController(std::shared_ptr<PlaneView> view) : view_(std::move(view)) {}

  /// Before the view starts.
  void start();

 private:
  /// The pods of one budget, those of workflows too. A plane without budgets copies none.
  struct Watched {
    doc::Value selector;
    std::shared_ptr<Mirror> pods;
  };

  void on_budget(const cluster::Object& budget);
  void follow_pods(const Name& name, const doc::Value& selector);
  void look_at_all(const std::string& ns);
  /// Whether the copies of all that is read here are complete.
  bool knows_all() const;
  void look(const Name& name, WorkQueue::Finish finish);
  Result<WantedPods> wanted(const std::vector<cluster::Object>& pods) const;
  Result<std::int64_t> wanted_of(const doc::Value& owner, const doc::Value& pod, std::string& uid) const;
  void write(const cluster::Object& budget, doc::Object status, const WorkQueue::Finish& finish);

  std::shared_ptr<PlaneView> view_;
  std::shared_ptr<WorkQueue> queue_;
  std::map<Name, Watched> watched_;
};

}  // namespace tiphys::controllers::workloads

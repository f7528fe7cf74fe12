// Deletes what is in a namespace that is being deleted, and then lets it go (k8s.io/kubernetes/pkg/controller/
// namespace); and keeps those that every plane has (pkg/controlplane/controller/systemnamespaces).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controllers/namespaces/namespace_contents.h"
#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers {

class NamespaceController : public std::enable_shared_from_this<NamespaceController> {
 public:
  NamespaceController(Executor& executor, cluster::Cluster& cluster)
      : view_(std::make_shared<workloads::PlaneView>(executor, cluster)) {}

  /// `kept` are made whenever they are missing.
  void start(std::vector<std::string> kept);

 private:
  using Finish = workloads::WorkQueue::Finish;

  void on_namespace(const cluster::Object& before, const cluster::Object& after);
  void look_at_all();
  void keep(const std::string& name);
  void look(const workloads::Name& name, Finish finish);
  void write(const cluster::Object& ns, NamespaceContents::Remains remains, Finish finish);
  std::vector<const cluster::Resource*> namespaced() const;

  std::shared_ptr<workloads::PlaneView> view_;
  std::shared_ptr<workloads::WorkQueue> queue_;
  std::vector<std::string> kept_;
  std::map<std::string, std::shared_ptr<NamespaceContents>> contents_;  ///< of those that are being deleted
};

}  // namespace tiphys::controllers

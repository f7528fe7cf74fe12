// The Services of a plane, by a watch: where each answers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "node/services/service_record.h"

namespace tiphys::node {

class ServiceDirectory : public std::enable_shared_from_this<ServiceDirectory> {
 public:
  using Name = std::pair<std::string, std::string>;  ///< namespace and name
  /// `serves_api`: whether the plane's API is there to be reached. When it is not, the Service `kubernetes` of an
  /// earlier server is left out.
  ServiceDirectory(Executor& executor, cluster::Cluster& cluster, bool serves_api)
      : executor_(executor), cluster_(cluster), serves_api_(serves_api) {}

  void start();
  /// Once what there is is known; at once when it is.
  void when_synced(Executor::Task task);
  /// Called with each Service that has come, changed or gone.
  void listen(std::function<void(const Name&)> listener) { listeners_.push_back(std::move(listener)); }

  const std::map<Name, ServiceRecord>& all() const { return services_; }
  const ServiceRecord* find(const Name& name) const;
  /// Whether there are any but the plane's own.
  bool has_others() const;
  /// What containers of a pod in `ns` are told: of the plane's API, and with `links` of each Service of the namespace.
  Variables variables(const std::string& ns, bool links) const;

 private:
  void watch();
  void on_event(const cluster::WatchEvent& event);
  void tell(const Name& name);
  static bool is_api(const Name& name) { return name.first == "default" && name.second == "kubernetes"; }

  Executor& executor_;
  cluster::Cluster& cluster_;
  bool serves_api_;
  bool synced_ = false;
  std::map<Name, ServiceRecord> services_;
  std::map<Name, ServiceRecord> before_;  ///< while a new watch brings what there is
  std::vector<std::function<void(const Name&)>> listeners_;
  std::vector<Executor::Task> waiting_;
  std::unique_ptr<cluster::Watch> watch_;
};

}  // namespace tiphys::node

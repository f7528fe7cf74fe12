// Gives each namespace the ServiceAccount "default", which pods and people expect there.
#pragma once

#include <memory>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::controllers {

class DefaultAccounts {
 public:
  DefaultAccounts(Executor& executor, cluster::Cluster& cluster) : executor_(executor), cluster_(cluster) {}

  void start();

 private:
  void on_namespace(const doc::Value& object);

  Executor& executor_;
  cluster::Cluster& cluster_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<cluster::Watch> watch_;
};

}  // namespace tiphys::controllers

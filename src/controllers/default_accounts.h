// Gives each namespace what pods and people expect there: the ServiceAccount "default", and the ConfigMap
// "kube-root-ca.crt" with the certificate by which the API is known.
#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::controllers {

class DefaultAccounts {
 public:
  /// `authority`: PEM; "" for no ConfigMap.
  DefaultAccounts(Executor& executor, cluster::Cluster& cluster, std::string authority)
      : executor_(executor), cluster_(cluster), authority_(std::move(authority)) {}

  void start();

 private:
  void on_namespace(const doc::Value& object);
  void publish(const std::string& ns);

  Executor& executor_;
  cluster::Cluster& cluster_;
  std::string authority_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<cluster::Watch> watch_;
};

}  // namespace tiphys::controllers

// The service accounts of a plane, by a watch, and which pods get a token of theirs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::node {

struct AccountRecord {
  std::string uid;
  std::optional<bool> automount{};  ///< automountServiceAccountToken, where it is said
};

class ServiceAccounts : public std::enable_shared_from_this<ServiceAccounts> {
 public:
  ServiceAccounts(Executor& executor, cluster::Cluster& cluster) : executor_(executor), cluster_(cluster) {}

  void start();
  /// Once what there is is known; at once when it is.
  void when_synced(Executor::Task task);
  /// nullptr: there is none of this name.
  const AccountRecord* find(const std::string& ns, const std::string& name) const;

 private:
  using Accounts = std::map<std::pair<std::string, std::string>, AccountRecord>;  ///< by namespace and name

  void on_event(const cluster::WatchEvent& event);

  Executor& executor_;
  cluster::Cluster& cluster_;
  bool synced_ = false;
  Accounts accounts_;
  std::optional<Accounts> fresh_;  ///< while a new watch brings what there is; accounts_ holds until then
  std::vector<Executor::Task> waiting_;
  std::unique_ptr<cluster::Watch> watch_;
};

/// "default" where the pod names none.
std::string account_of(const doc::Value& pod);

/// Whether a pod finds a token where clients look for it. What pod or account say of it counts, in this order. Where
/// neither does, steps of workflows have one only where it is of use, when the account has rights, as each costs time;
/// other pods have one as in Kubernetes.
bool has_token(const doc::Value& pod, const AccountRecord& account, bool has_rights);

}  // namespace tiphys::node

// Role-based access control: what Roles, ClusterRoles and their bindings allow.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/executor.h"
#include "objects/access.h"
#include "store/store.h"

namespace tiphys::objects {

/// Follows the objects of a plane; decides by what it has seen of them.
class Rbac final : public Authorizer {
 public:
  /// All that the store has holds when this returns.
  static Result<std::unique_ptr<Rbac>> start(Executor& executor, store::Store& store);
  Rbac(Executor& executor, store::Store& store) : executor_(executor), store_(store) {}

  Decision decide(const Caller& caller, const Attributes& asked) const override;
  /// Whether a binding names this service account: what all accounts may does not count.
  bool is_bound(std::string_view ns, std::string_view account) const;
  Rules rules_of(const Caller& caller, std::string_view ns) const override;

 private:
  using Objects = std::map<std::pair<std::string, std::string>, cluster::Object>;  ///< by namespace and name

  Status load(const cluster::Resource& resource);
  void follow(const cluster::Resource& resource, std::uint64_t from);
  /// Calls `visit(rule, binding)` for each rule that a binding in `ns` ("": in all the cluster) gives the caller, until
  /// one returns true.
  template <typename Visit>
  bool visit_rules(const Caller& caller, std::string_view ns, Visit visit) const;
  const doc::Array* rules_at(const doc::Value& binding, std::string_view ns) const;

  Executor& executor_;
  store::Store& store_;
  std::map<const cluster::Resource*, Objects> objects_;
  /// What a ClusterRole with an aggregationRule gathers from others.
  mutable std::map<std::string, doc::Array> aggregated_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<std::unique_ptr<cluster::Watch>> watches_;
};

/// The ClusterRoles and bindings that Kubernetes comes with, as far as a plane of one machine has a use for them:
/// cluster-admin, admin, edit, view, discovery and self-reviews.
std::vector<std::pair<const cluster::Resource*, doc::Value>> bootstrap_policy();

}  // namespace tiphys::objects

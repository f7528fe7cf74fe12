// How pods of the embedded plane reach its API: the plane's tokens and roles, as the agent sees them.
#pragma once

#include "base/executor.h"
#include "node/agent/api_access.h"
#include "objects/rbac.h"
#include "objects/service_tokens.h"

namespace tiphys::cli {

/// Complete before the agent starts.
class PodApiAccess final : public node::ApiAccess {
 public:
  void set_authority(std::string authority) { authority_ = std::move(authority); }
  /// All of them outlive the agent.
  void set_judges(const objects::ServiceTokens& tokens, const objects::Rbac& rbac, Executor& executor) {
    tokens_ = &tokens;
    rbac_ = &rbac;
    executor_ = &executor;
  }

  std::string authority() const override { return authority_; }
  Result<std::string> sign(const node::TokenOwner& owner, const std::string& audience,
                           std::chrono::seconds lifetime) const override {
    const Time now = executor_->now();
    return tokens_->sign({.ns = owner.ns,
                          .name = owner.account,
                          .uid = owner.account_uid,
                          .pod_name = owner.pod,
                          .pod_uid = owner.pod_uid,
                          .audiences = audience.empty() ? std::vector<std::string>() : std::vector{audience},
                          .issued = now,
                          .expires = now + lifetime});
  }
  bool has_rights(std::string_view ns, std::string_view account) const override { return rbac_->is_bound(ns, account); }

 private:
  std::string authority_;
  const objects::ServiceTokens* tokens_ = nullptr;
  const objects::Rbac* rbac_ = nullptr;
  Executor* executor_ = nullptr;
};

}  // namespace tiphys::cli

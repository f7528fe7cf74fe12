#include "server/gate.h"

#include <algorithm>

#include "base/strings.h"
#include "objects/token_life.h"
#include "server/access.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kServiceAccountPrefix = "system:serviceaccount:";

}  // namespace

std::shared_ptr<const objects::Caller> Gate::admit(std::string_view authorization) const {
  if (bears_token(authorization, token_)) return std::make_shared<const objects::Caller>(objects::plane_owner());
  const std::string_view bearer = bearer_token(authorization);
  if (bearer.empty() || !tokens_) return nullptr;
  const auto known = tokens_->verify(bearer, executor_.now());
  if (!known || !objects::is_bound_to_what_exists(*known, api_.store())) return nullptr;
  if (objects::common_audiences(*known, {}).empty()) return nullptr;
  return std::make_shared<const objects::Caller>(objects::service_account(known->ns, known->name, known->uid));
}

objects::Outcome<std::shared_ptr<const objects::Caller>> impersonate(const objects::ObjectApi& api,
                                                                     const objects::Caller* caller,
                                                                     const Impersonation& wanted) {
  objects::Attributes asked{.verb = "impersonate", .resource = "users", .name = wanted.user};
  if (std::string_view(wanted.user).starts_with(kServiceAccountPrefix)) {
    const auto parts = split(std::string_view(wanted.user).substr(kServiceAccountPrefix.size()), ':');
    if (parts.size() == 2)
      asked = {.verb = "impersonate", .resource = "serviceaccounts", .ns = parts[0], .name = parts[1]};
  }
  TIPHYS_CHECK_OK(api.allow(caller, asked));
  for (const std::string& group : wanted.groups) {
    TIPHYS_CHECK_OK(api.allow(caller, {.verb = "impersonate", .resource = "groups", .name = group}));
  }
  auto other = std::make_shared<objects::Caller>();
  if (asked.resource == "serviceaccounts") *other = objects::service_account(asked.ns, asked.name, wanted.uid);
  other->name = wanted.user;
  other->uid = wanted.uid;
  if (!wanted.groups.empty()) other->groups = wanted.groups;
  if (std::ranges::find(other->groups, objects::kAuthenticated) == other->groups.end()) {
    other->groups.emplace_back(objects::kAuthenticated);
  }
  return other;
}

}  // namespace tiphys::server

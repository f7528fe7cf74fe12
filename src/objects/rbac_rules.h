// Defaults and checks of roles and of what binds them, and that nobody gives what he has not.
#pragma once

#include "objects/kind_rules.h"
#include "objects/object_api.h"

namespace tiphys::objects {

extern const KindRules kRoleRules, kClusterRoleRules, kRoleBindingRules, kClusterRoleBindingRules;

/// 403 when the caller would give somebody, himself perhaps, permissions that he does not have: a role may only be
/// written by who has all that it allows or may "escalate", a binding by who has all that its role allows or may
/// "bind".
Outcome<void> check_grants(const Target& target, const Authorizer* authorizer, store::Store& store,
                           const doc::Value* before, const doc::Value& after);

}  // namespace tiphys::objects

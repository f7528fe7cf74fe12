// Who somebody is: of a provider's claims, as claims of a session, and back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/sso_config.h"
#include "base/time.h"
#include "doc/value.h"
#include "objects/access.h"

namespace tiphys::server {

/// Who issues sessions.
inline constexpr std::string_view kSessionIssuer = "argo-server";

/// Of an ID token's claims: groups by the configured claim, unless `userinfo`, a document that has them, is not null;
/// those that no filter lets through are left out. kInvalidArgument: a claim is not what it must be.
Result<objects::Person> read_person(const doc::Value& claims, const doc::Value& userinfo, const api::SsoConfig& config);

/// Claims of a session that ends at `expires`.
doc::Object session_claims(const objects::Person& person, Time expires);
objects::Person person_of_session(const doc::Value& claims);

}  // namespace tiphys::server

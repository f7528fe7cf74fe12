// A workflow that has run before, as a new one.
#pragma once

#include "cli/manifest.h"
#include "cli/session.h"

namespace tiphys::cli {

/// Changes it by the options, judges and creates it, and gives it as it was created. `memoized`: what has succeeded is
/// taken over. Templates that it refers to may have changed since it ran: kInvalidArgument with all findings, rendered.
Result<doc::Value> resubmit_as_new(Session& session, const doc::Value& before, const SubmitOptions& options,
                                   bool memoized, const PlaneRules& rules);

}  // namespace tiphys::cli

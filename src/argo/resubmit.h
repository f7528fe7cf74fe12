// A workflow that has run before, as a new one (FormulateResubmitWorkflow).
#pragma once

#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "doc/value.h"

namespace tiphys::argo {

/// Spec, labels, annotations and owners of `before`, ready to create under a generated name. What only that run was
/// asked (to shut down, a deadline of 0, requests to its nodes) and what tells of its state and creator is left out.
doc::Value resubmitted(const doc::Value& before);

/// --memoized: gives `workflow` a name and what has succeeded in `before`, so that only the rest runs.
Status take_over_nodes(doc::Value& workflow, const doc::Value& before, Random& random, Time now);

inline constexpr std::string_view kResubmittedFromLabel = "workflows.argoproj.io/resubmitted-from-workflow";

}  // namespace tiphys::argo

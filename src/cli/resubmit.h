// A workflow that has run before, as a new one (FormulateResubmitWorkflow without memoization).
#pragma once

#include "doc/value.h"

namespace tiphys::cli {

/// Spec, labels, annotations and owners of `before`, ready to create under a generated name. What only that run was
/// asked (to shut down, a deadline of 0, requests to its nodes) and what tells of its state and creator is left out.
doc::Value resubmitted(const doc::Value& before);

}  // namespace tiphys::cli

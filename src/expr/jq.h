// jq filters, which `valueFrom.jqFilter` holds. The original evaluates them with gojq 0.12.17; here libjq 1.6 does,
// with definitions of what gojq has beyond it. docs/expressions.md lists what remains different.
#pragma once

#include <string_view>
#include <vector>

#include "doc/value.h"

namespace tiphys::expr {

/// The outputs of the filter for one input, in order; keys are sorted, as gojq has them. Waits for a child process,
/// which takes some 50 ms, and up to 10 s when the filter does not end. The filter sees no environment, files or
/// further inputs.
///
/// Errors read "jq: FILTER: message": of syntax (with a line when there are several), of evaluation, and when a limit
/// is passed: filters of 64 KiB, 10,000 outputs of 16 MiB in all, 3 s, 512 MiB.
Result<std::vector<doc::Value>> run_jq(std::string_view filter, const doc::Value& input);

/// Whether the filter is one: the errors of run_jq that are of syntax, and of functions and variables that are not
/// there. Takes as long; where libjq is not installed, nothing is wrong with it.
Status check_jq(std::string_view filter);

/// What gojq defines and libjq 1.6 lacks, or defines otherwise, in jq's language. Ends with a line break.
extern const std::string_view kJqPrelude;

}  // namespace tiphys::expr

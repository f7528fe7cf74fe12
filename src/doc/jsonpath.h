// kubectl's JSONPath templates: "{.items[*].metadata.name}". All of k8s.io/client-go/util/jsonpath, its errors and
// oddities included: "$" is the current value, a name in brackets is a path ("['a\.b']", not "['a.b']"), and a range
// without an end repeats what follows it once more.
#pragma once

#include "doc/value.h"

namespace tiphys::doc {

/// Evaluates a template with its braces against `root` and gives the printed text. Fields, indices, slices, wildcards,
/// recursive descent, filters `[?(@.a == "b")]`, unions, `range`/`end` and quoted text; lists and objects as JSON with
/// sorted keys. A missing field is an error that names it; with `allow_missing_keys` it prints nothing, as for
/// `kubectl get -o jsonpath`. Wildcards take an object's members in its order (the original in a random one).
Result<std::string> eval_jsonpath(std::string_view text, const Value& root, bool allow_missing_keys = false);

}  // namespace tiphys::doc

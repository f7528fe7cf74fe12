// kubectl's JSONPath templates (k8s.io/client-go/util/jsonpath): "{.items[*].metadata.name}".
#pragma once

#include "doc/value.h"

namespace tiphys::doc {

/// Evaluates a template with its braces against `root` and gives the printed text. Fields, indices, slices, wildcards,
/// recursive descent, filters `[?(@.a == "b")]`, unions, `range`/`end` and quoted text. A missing field is an error
/// that names it; with `allow_missing_keys` it prints nothing, as for `kubectl get -o jsonpath`.
Result<std::string> eval_jsonpath(std::string_view text, const Value& root, bool allow_missing_keys = false);

}  // namespace tiphys::doc

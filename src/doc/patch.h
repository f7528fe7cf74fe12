// Patches of documents as the Kubernetes API takes them.
#pragma once

#include "doc/strategic_types.h"
#include "doc/value.h"

namespace tiphys::doc {

/// RFC 6902, all six operations, as the API server's library (github.com/evanphx/json-patch) reads it: indices may be
/// negative, which counts from the end (-1 adds at the end), `replace` also sets what an object lacks, `test` takes a
/// missing member for null, and only `replace` and `test` are for the whole document. At most 10000 operations, 3 MiB
/// of copies and 64 levels. Atomic: on an error `target` is as it was.
Status apply_json_patch(Value& target, const Value& patch);
/// RFC 7386 by the same library: nulls within lists that come anew go too. An error when the patch is no object or list
/// and when `target` is null.
Status apply_merge_patch(Value& target, const Value& patch);
/// Kubernetes' strategic merge patch (k8s.io/apimachinery/pkg/util/strategicpatch). `kind` is the type of `target`, one
/// of `types`: of workflow_patch_types() a kind, or a part as "PodSpec". It says which lists merge, by which key;
/// others are replaced. `$patch: delete|replace`, `$retainKeys`, `$setElementOrder/FIELD` and
/// `$deleteFromPrimitiveList/FIELD` do what they do there. Errors: an unknown kind, an object or list under a name that
/// the type has not (unless one of the two documents lacks it), elements without their merge key, a directive of
/// another form. On an error `target` is as it was.
Status apply_strategic_merge_patch(Value& target, const Value& patch, std::string_view kind,
                                   const PatchTypes& types = workflow_patch_types());

}  // namespace tiphys::doc

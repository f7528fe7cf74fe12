// Patches of documents as the Kubernetes API takes them.
#pragma once

#include "doc/value.h"

namespace tiphys::doc {

/// RFC 6902, all six operations. Atomic: on an error `target` is as it was.
Status apply_json_patch(Value& target, const Value& patch);
/// RFC 7386.
void apply_merge_patch(Value& target, const Value& patch);
/// Kubernetes' strategic merge patch: lists of objects merge by the merge key of their field name where one is known
/// (containers, env and initContainers by name, ports by containerPort, volumeMounts by mountPath, ...), `$patch:
/// delete|replace|merge` and
/// `$retainKeys` are honoured. Other lists are replaced.
Status apply_strategic_merge_patch(Value& target, const Value& patch);

}  // namespace tiphys::doc

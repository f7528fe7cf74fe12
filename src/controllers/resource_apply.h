// kubectl apply: what the manifest says now, less what it said last time and says no more.
#pragma once

#include "cluster/cluster.h"
#include "cluster/resource.h"

namespace tiphys::controllers {

/// The manifest with itself in the annotation kubectl.kubernetes.io/last-applied-configuration.
doc::Value with_last_applied(const doc::Value& manifest);

/// The patch that makes `live` what the manifest says. Members of objects that the last applied manifest had and this
/// one lacks are removed; elements of lists are added and changed, never removed.
doc::Value apply_patch(const doc::Value& manifest, const doc::Value& live);

/// Strategic for Kubernetes' own kinds, merge for custom ones, as kubectl chooses.
cluster::PatchType apply_patch_type(const cluster::Resource& resource);

}  // namespace tiphys::controllers

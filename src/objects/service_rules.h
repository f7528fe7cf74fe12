// Defaults and checks of Services (k8s.io/kubernetes/pkg/apis/core, pkg/registry/core/service).
#pragma once

#include <string_view>

#include "objects/kind_rules.h"

namespace tiphys::objects {

extern const KindRules kServiceRules;

/// What a write leaves to what there was: addresses and ports that were given, and those that its new type has not.
void keep_allocated(doc::Value& service, const doc::Value& before);

/// Whether it has an address of the plane's range; headless ones have none.
bool has_cluster_ip(const doc::Value& service);
bool has_node_ports(const doc::Value& service);

}  // namespace tiphys::objects

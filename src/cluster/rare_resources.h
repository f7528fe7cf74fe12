// Kinds that few files name; the others are in resource.h, which nearly all include.
#pragma once

#include "cluster/resource.h"

namespace tiphys::cluster {

extern const Resource kDaemonSets, kReplicationControllers;

}  // namespace tiphys::cluster

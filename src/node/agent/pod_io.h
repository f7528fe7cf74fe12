// What the workflow controller asks of the node agent beyond a plain pod (cluster/pod_annotations.h tells what each
// holds).
#pragma once

#include "cluster/pod_annotations.h"

namespace tiphys::node {

using cluster::kCommandAttemptsAnnotation;
using cluster::kContainerSetAnnotation;
using cluster::kEndAnnotation;
using cluster::kInputsAnnotation;
using cluster::kKillCommandAnnotation;
using cluster::kMostResultBytes;
using cluster::kOutputsAnnotation;
using cluster::kOutputsWantedAnnotation;
using cluster::kProgressAnnotation;
using cluster::kProgressFileName;
using cluster::kProgressFolder;
using cluster::kRuntimeAnnotation;

}  // namespace tiphys::node

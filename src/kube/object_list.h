// Lists of objects, page by page.
#pragma once

#include "cluster/cluster.h"
#include "kube/api.h"

namespace tiphys::kube {

/// With options.limit one page, else all pages together: those are of one version. A list that takes longer than the
/// server remembers its version begins anew, in one page.
void list_objects(const std::shared_ptr<Api>& api, const cluster::Resource& resource, cluster::ListOptions options,
                  cluster::Done<cluster::List> done);

}  // namespace tiphys::kube

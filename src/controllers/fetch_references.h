// The templates that a workflow refers to, from its plane.
#pragma once

#include "api/references.h"
#include "cluster/cluster.h"

namespace tiphys::controllers {

/// Gets all that the workflow refers to, directly or through others; `done` gets References that want nothing more. An
/// error only when the plane could not be read; one that is missing is References' to tell. `defaults` is the spec of
/// workflowDefaults, or null.
void fetch_references(cluster::Cluster& cluster, const api::Workflow& workflow, doc::Shared defaults,
                      cluster::Done<api::References> done);
/// The same of what one of its references has come to, whose tags are filled in as it runs.
void fetch_reference(cluster::Cluster& cluster, const api::Workflow& workflow, const api::TemplateRef& ref,
                     cluster::Done<api::References> done);

/// How a plane names it, seen from a namespace.
cluster::Key key_of(const api::TemplateHolder& holder, const std::string& ns);

}  // namespace tiphys::controllers

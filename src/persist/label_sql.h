// Conditions and lists of labels in SQL, off argo_archived_workflows_labels.
#pragma once

#include "cluster/selector.h"
#include "persist/sql.h"

namespace tiphys::persist {

/// Appends " AND ..." for a row `w` of argo_archived_workflows.
void add_label_condition(Sql& sql, const cluster::Requirement& requirement);

/// The keys of all labels, or with a `key` its values, in order.
Statement distinct_labels(Dialect dialect, const std::string& key, std::size_t most);

}  // namespace tiphys::persist

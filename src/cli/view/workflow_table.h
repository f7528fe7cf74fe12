// What `list` prints. Forms: util/printer/workflow-printer.go.
#pragma once

#include <span>
#include <string>

#include "cluster/cluster.h"

namespace tiphys::cli {

struct TableOptions {
  bool wide = false;
  bool headers = true;
  bool with_namespace = false;
  bool with_uid = false;  ///< of an archive, whose size is no concern of the plane's
};

/// The table; above 100 workflows followed by a word about their cost. `workflows` with status.nodes for `wide`.
std::string workflow_table(std::span<const cluster::Object> workflows, const TableOptions& options, Time now);

/// Unfinished ones first, newest first; then by time of finish, latest first.
void sort_for_list(std::vector<cluster::Object>& workflows);

}  // namespace tiphys::cli

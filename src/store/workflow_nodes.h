// Workflows put together with their nodes, which the disk keeps apart.
#pragma once

#include "store/disk_reader.h"

namespace tiphys::store {

struct WholeWorkflow {
  cluster::Object object;
  std::size_t bytes = 0;  ///< of the nodes, as JSON
};

/// The workflow with status.nodes as they are on disk. Its resource version is that of its newest change, of nodes too,
/// but at most `newest`, up to which the reader has been told of changes.
Result<WholeWorkflow> whole_workflow(DiskReader& disk, const Revision& revision, std::uint64_t newest);
/// The same under the version of an event.
Result<WholeWorkflow> whole_workflow_at(DiskReader& disk, const Revision& revision, std::uint64_t version);

}  // namespace tiphys::store

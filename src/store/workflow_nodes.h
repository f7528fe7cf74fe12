// Workflows put together with their nodes, which the disk keeps apart.
#pragma once

#include <optional>

#include "store/disk_reader.h"

namespace tiphys::store {

struct WholeWorkflow {
  cluster::Object object;    ///< null where a text was asked for
  cluster::ObjectJson text;  ///< null where not
  std::uint64_t version = 0;
  std::size_t bytes = 0;  ///< of the nodes, as JSON
};

struct WholeOptions {
  std::uint64_t newest;  ///< the reader has been told of changes up to this version
  /// The version of an event; else that of the newest change up to `newest`, of nodes too.
  std::optional<std::uint64_t> version{};
  bool as_json = false;
};

/// The workflow with status.nodes as they are on disk, under a resource version that tells of them. As a text its nodes
/// are not parsed.
Result<WholeWorkflow> whole_workflow(DiskReader& disk, const Revision& revision, const WholeOptions& options);

}  // namespace tiphys::store

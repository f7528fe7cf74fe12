#include "store/workflow_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tiphys::store {

namespace {

struct Nodes {
  doc::Object of_ids;
  std::size_t bytes = 0;
  std::uint64_t version = 0;  ///< of the newest
};

Result<Nodes> read_nodes(DiskReader& disk, std::string_view uid) {
  Nodes nodes;
  std::optional<Error> damaged;
  TIPHYS_CHECK_OK(disk.nodes(uid, [&](std::string_view id, std::uint64_t version, std::string_view json) {
    nodes.version = std::max(nodes.version, version);
    nodes.bytes += json.size();
    if (auto node = doc::parse_json(json)) {
      nodes.of_ids[id] = std::move(*node);
    } else {
      damaged = Error{Code::kDataLoss, fmt::format("node {} of the workflow is damaged: {}", id, node.error().message)};
    }
  }));
  if (damaged) return std::unexpected(std::move(*damaged));
  return nodes;
}

WholeWorkflow put_together(const Revision& revision, Nodes nodes, std::uint64_t version) {
  if (nodes.of_ids.empty() && version == revision.resource_version()) return {revision.object()};
  doc::Value object = revision.copy();
  if (!nodes.of_ids.empty()) doc::ensure_object(object.as_object(), "status")["nodes"] = std::move(nodes.of_ids);
  set_resource_version(object, version);
  return {std::make_shared<const doc::Value>(std::move(object)), nodes.bytes};
}

}  // namespace

Result<WholeWorkflow> whole_workflow(DiskReader& disk, const Revision& revision, std::uint64_t newest) {
  TIPHYS_TRY(Nodes nodes, read_nodes(disk, revision.uid()));
  const std::uint64_t version = std::max(revision.resource_version(), std::min(nodes.version, newest));
  return put_together(revision, std::move(nodes), version);
}

Result<WholeWorkflow> whole_workflow_at(DiskReader& disk, const Revision& revision, std::uint64_t version) {
  TIPHYS_TRY(Nodes nodes, read_nodes(disk, revision.uid()));
  return put_together(revision, std::move(nodes), version);
}

}  // namespace tiphys::store

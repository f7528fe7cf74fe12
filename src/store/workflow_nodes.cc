#include "store/workflow_nodes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace tiphys::store {
namespace {

std::uint64_t version_of(const Revision& revision, std::uint64_t of_nodes, const WholeOptions& options) {
  return options.version.value_or(std::max(revision.resource_version(), std::min(of_nodes, options.newest)));
}

cluster::Object with(const Revision& revision, std::optional<doc::Value> nodes, std::uint64_t version) {
  if (!nodes && version == revision.resource_version()) return revision.object();
  doc::Value object = revision.copy();
  if (nodes) doc::ensure_object(object.as_object(), "status")["nodes"] = std::move(*nodes);
  set_resource_version(object, version);
  return std::make_shared<const doc::Value>(std::move(object));
}

Result<WholeWorkflow> as_object(DiskReader& disk, const Revision& revision, const WholeOptions& options) {
  WholeWorkflow whole;
  doc::Object nodes;
  std::optional<Error> damaged;
  TIPHYS_CHECK_OK(disk.nodes(revision.uid(), [&](std::string_view id, std::uint64_t version, std::string_view json) {
    whole.version = std::max(whole.version, version);
    whole.bytes += json.size();
    if (auto node = doc::parse_json(json)) {
      nodes[id] = std::move(*node);
    } else {
      damaged = Error{Code::kDataLoss, fmt::format("node {} of the workflow is damaged: {}", id, node.error().message)};
    }
  }));
  if (damaged) return std::unexpected(std::move(*damaged));
  whole.version = version_of(revision, whole.version, options);
  whole.object =
      with(revision, nodes.empty() ? std::nullopt : std::optional<doc::Value>(std::move(nodes)), whole.version);
  return whole;
}

/// The nodes go where a mark is in the text of the rest.
Result<WholeWorkflow> as_text(DiskReader& disk, const Revision& revision, const WholeOptions& options) {
  WholeWorkflow whole;
  std::string nodes = "{";
  TIPHYS_CHECK_OK(disk.nodes(revision.uid(), [&](std::string_view id, std::uint64_t version, std::string_view json) {
    whole.version = std::max(whole.version, version);
    whole.bytes += json.size();
    if (nodes.size() > 1) nodes += ',';
    doc::append_json_string(nodes, id);
    nodes += ':';
    nodes += json;
  }));
  nodes += '}';
  whole.version = version_of(revision, whole.version, options);
  if (whole.bytes == 0) {
    whole.text = std::make_shared<const std::string>(doc::to_json(*with(revision, std::nullopt, whole.version)));
    return whole;
  }
  const std::string mark = fmt::format("nodes of {}", revision.uid());
  std::string text = doc::to_json(*with(revision, doc::Value(mark), whole.version));
  const std::string place = fmt::format("\"nodes\":\"{}\"", mark);
  const auto at = text.rfind(place);
  TIPHYS_CHECK(at != text.npos, "the mark is where it was put");
  text.replace(at + 8, mark.size() + 2, nodes);
  whole.text = std::make_shared<const std::string>(std::move(text));
  return whole;
}

}  // namespace

Result<WholeWorkflow> whole_workflow(DiskReader& disk, const Revision& revision, const WholeOptions& options) {
  return options.as_json ? as_text(disk, revision, options) : as_object(disk, revision, options);
}

}  // namespace tiphys::store

#include "kube/workflow_nodes.h"

#include "base/encoding.h"
#include "kube/gzip.h"

namespace tiphys::kube {
namespace {

doc::Object* status_of(doc::Value& workflow) {
  doc::Object* root = workflow.if_object();
  doc::Value* status = root ? root->if_contains("status") : nullptr;
  return status ? status->if_object() : nullptr;
}

}  // namespace

Status unpack_nodes(doc::Value& workflow) {
  doc::Object* status = status_of(workflow);
  if (!status) return {};
  if (!doc::find_string(workflow, "status", "offloadNodeStatusVersion").empty()) {
    return fail(Code::kUnimplemented,
                "the workflow's nodes are in a database (offloadNodeStatusVersion): that is not supported");
  }
  const std::string_view packed = doc::find_string(workflow, "status", "compressedNodes");
  if (packed.empty()) return {};
  const Result<std::string> bytes = decode_base64(packed);
  const Result<std::string> text = bytes ? gunzip(*bytes) : bytes;
  Result<doc::Value> nodes = text ? doc::parse_json(*text) : std::unexpected(text.error());
  if (!nodes) return std::unexpected(nodes.error().in("status.compressedNodes"));
  status->erase("compressedNodes");
  (*status)["nodes"] = std::move(*nodes);
  return {};
}

void strip_nodes(doc::Value& workflow) {
  if (doc::Object* status = status_of(workflow)) {
    status->erase("nodes");
    status->erase("compressedNodes");
  }
}

std::string pack_nodes(const doc::Value& nodes) {
  return encode_base64(gzip(doc::to_json(nodes)));
}

}  // namespace tiphys::kube

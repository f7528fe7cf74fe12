#include "cluster/node_teller.h"

#include <fmt/format.h>

#include <utility>

namespace tiphys::cluster {

void NodeTeller::take(const WatchEvent& event) {
  using Type = WatchEvent::Type;
  if (!sink_.on_end) return;
  if (event.type == Type::kSynced && uid_.empty()) {
    return end({Code::kNotFound, fmt::format("workflows.argoproj.io \"{}\" not found", name_)});
  }
  if (event.type == Type::kSynced) return sink_.on_synced();
  const std::string_view uid = doc::find_string(*event.object, "metadata", "uid");
  if (event.type == Type::kDeleted) return end({Code::kNotFound, "the workflow has been deleted"});
  if (!uid_.empty() && uid != uid_) return end({Code::kOutOfRange, "the workflow has been replaced by another"});
  uid_ = uid;
  tell_changes(*event.object);
}

void NodeTeller::tell_changes(const doc::Value& workflow) {
  static const doc::Value kNone = doc::Object{};
  const doc::Value* found = doc::find(workflow, "status", "nodes");
  const doc::Value& nodes = found && found->is_object() ? *found : kNone;
  for (const auto& [id, text] : told_) {
    if (!doc::find(nodes, id)) return end({Code::kOutOfRange, "nodes have been removed"});
  }
  const std::weak_ptr<bool> alive = alive_;
  for (const auto& [id, node] : nodes.get_object()) {
    std::string text = doc::to_json(node);
    std::string& told = told_[id];
    if (told == text) continue;
    told = text;
    sink_.on_node(text);
    if (alive.expired()) return;
  }
}

void NodeTeller::end(Error error) {
  auto on_end = std::exchange(sink_.on_end, nullptr);
  if (on_end) on_end(std::move(error));
}

}  // namespace tiphys::cluster

#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "engine/names.h"
#include "engine/node.h"

namespace tiphys::engine {
namespace {

/// Spreads the hash over a table whose size is a power of two.
std::size_t spread(std::uint32_t hash, std::size_t mask) {
  return (hash * 0x9E3779B97F4A7C15ull >> 32) & mask;
}

}  // namespace

NodeIndex HashIndex::find(std::uint32_t hash) const {
  if (slots_.empty()) return kNoNode;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = spread(hash, mask);; at = (at + 1) & mask) {
    if (slots_[at].node == kNoNode || slots_[at].hash == hash) return slots_[at].node;
  }
}

void HashIndex::insert(std::uint32_t hash, NodeIndex node) {
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = spread(hash, mask);
  while (slots_[at].node != kNoNode) at = (at + 1) & mask;
  slots_[at] = {hash, node};
  ++size_;
}

void HashIndex::grow() {
  std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
  old.swap(slots_);
  size_ = 0;
  for (const Slot& slot : old) {
    if (slot.node != kNoNode) insert(slot.hash, slot.node);
  }
}

NodeIndex NodeTable::add(std::string name) {
  const auto index = static_cast<NodeIndex>(nodes_.size());
  Node& node = nodes_.emplace_back();
  node.name = std::move(name);
  node.hash = fnv1a_32(node.name);
  if (node.name == workflow_name_) {
    TIPHYS_CHECK(entry_ == kNoNode, "the entry node exists once");
    entry_ = index;
    return index;
  }
  for (int other = 1; by_hash_.find(node.hash) != kNoNode; ++other) {
    node.hash = fnv1a_32(node.name + "#" + std::to_string(other));
  }
  by_hash_.insert(node.hash, index);
  return index;
}

Result<NodeIndex> NodeTable::add_persisted(std::string name, std::string_view id) {
  const auto index = static_cast<NodeIndex>(nodes_.size());
  const bool entry = id == workflow_name_;
  const auto hash = entry ? std::optional(fnv1a_32(name)) : hash_of_id(workflow_name_, id);
  if (!hash || find_id(id) != kNoNode) {
    return fail(Code::kDataLoss, "node \"" + name + "\" of workflow \"" + std::string(workflow_name_) +
                                     "\" has the id \"" + std::string(id) + "\", which is " +
                                     (hash ? "taken" : "no id of this workflow"));
  }
  Node& node = nodes_.emplace_back();
  node.name = std::move(name);
  node.hash = *hash;
  if (entry) {
    entry_ = index;
  } else {
    by_hash_.insert(*hash, index);
  }
  return index;
}

NodeIndex NodeTable::find_id(std::string_view id) const {
  if (id == workflow_name_) return entry_;
  const auto hash = hash_of_id(workflow_name_, id);
  return hash ? by_hash_.find(*hash) : kNoNode;
}

NodeIndex NodeTable::find_name(std::string_view name) const {
  if (name == workflow_name_) return entry_;
  std::uint32_t hash = fnv1a_32(name);
  for (int other = 1;; ++other) {
    const NodeIndex found = by_hash_.find(hash);
    if (found == kNoNode || nodes_[found].name == name) return found;
    hash = fnv1a_32(std::string(name) + "#" + std::to_string(other));
  }
}

std::string NodeTable::id(NodeIndex index) const {
  if (index == kNoNode) return "";
  return index == entry_ ? std::string(workflow_name_) : id_of_hash(workflow_name_, nodes_[index].hash);
}

std::string NodeTable::pod_name(NodeIndex index) const {
  const Node& node = nodes_[index];
  if (index == entry_) return std::string(workflow_name_);
  return pod_name_of_hash(workflow_name_, node.plan ? std::string_view(node.plan->source->name) : "", node.hash);
}

void NodeTable::touch(NodeIndex index) {
  if (nodes_[index].changed) return;
  nodes_[index].changed = true;
  touched_.push_back(index);
}

std::vector<NodeIndex> NodeTable::take_touched() {
  for (const NodeIndex index : touched_) nodes_[index].changed = false;
  return std::exchange(touched_, {});
}

}  // namespace tiphys::engine

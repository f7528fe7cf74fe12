#include "objects/field_set.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::objects {
namespace {

/// Calls `visit(ours, theirs)` for each element of either, in order; one of the two may be nullptr.
template <typename Visit>
void zip(const std::vector<FieldNode>& left, const std::vector<FieldNode>& right, Visit visit) {
  auto ours = left.begin();
  auto theirs = right.begin();
  while (ours != left.end() || theirs != right.end()) {
    const auto order = ours == left.end()      ? std::strong_ordering::greater
                       : theirs == right.end() ? std::strong_ordering::less
                                               : ours->element <=> theirs->element;
    visit(order <= 0 ? &*ours : nullptr, order >= 0 ? &*theirs : nullptr);
    if (order <= 0) ++ours;
    if (order >= 0) ++theirs;
  }
}

/// The members of one object of FieldsV1, and whether "." is among them, as it is where there are none.
struct Parsed {
  FieldSet set;
  bool self = false;
};

Result<Parsed> parse_level(const doc::Value& fields) {
  if (!fields.is_object()) return fail(Code::kInvalidArgument, "managedFields: fieldsV1 is made of objects alone");
  Parsed parsed;
  for (const auto& [name, value] : fields.get_object()) {
    if (name == ".") {
      parsed.self = true;
      continue;
    }
    TIPHYS_TRY(auto element, PathElement::parse(name));
    if (!element) continue;
    TIPHYS_TRY(Parsed below, parse_level(value));
    parsed.set.put(std::move(*element), below.self, std::move(below.set));
  }
  parsed.set.sort();
  if (parsed.set.empty()) parsed.self = true;
  return parsed;
}

doc::Object write(const FieldSet& set, bool self) {
  doc::Object out;
  out.reserve(set.nodes().size() + 1);
  if (self && !set.empty()) out.emplace(".", doc::Object());
  for (const FieldNode& node : set.nodes()) out.emplace(node.element.fields_name(), write(node.below, node.member));
  return out;
}

}  // namespace

FieldSet::FieldSet(std::initializer_list<std::initializer_list<std::string_view>> paths) {
  for (const auto& names : paths) {
    FieldPath path;
    for (const std::string_view name : names) path.push_back(PathElement::field(name));
    insert(path);
  }
}

Result<FieldSet> FieldSet::parse(const doc::Value& fields_v1) {
  TIPHYS_TRY(Parsed parsed, parse_level(fields_v1));
  return std::move(parsed.set);
}

doc::Object FieldSet::to_json() const {
  return write(*this, false);
}

bool FieldSet::empty() const {
  return nodes_.empty();
}

const FieldNode* FieldSet::find(const PathElement& element) const {
  const auto found = std::ranges::lower_bound(nodes_, element, {}, &FieldNode::element);
  return found != nodes_.end() && found->element == element ? &*found : nullptr;
}

bool FieldSet::has(std::span<const PathElement> path) const {
  const FieldSet* set = this;
  const FieldNode* node = nullptr;
  for (const PathElement& element : path) {
    node = set->find(element);
    if (!node) return false;
    set = &node->below;
  }
  return node && node->member;
}

void FieldSet::insert(std::span<const PathElement> path) {
  if (path.empty()) return;  // nobody owns an object as a whole
  auto found = std::ranges::lower_bound(nodes_, path.front(), {}, &FieldNode::element);
  if (found == nodes_.end() || found->element != path.front()) found = nodes_.insert(found, FieldNode{path.front()});
  if (path.size() == 1) {
    found->member = true;
  } else {
    found->below.insert(path.subspan(1));
  }
}

void FieldSet::put(PathElement element, bool member, FieldSet below) {
  if (member || !below.empty()) nodes_.push_back({std::move(element), member, std::move(below)});
}

void FieldSet::sort() {
  const auto in_order = [](const FieldNode& left, const FieldNode& right) { return left.element < right.element; };
  const auto unordered = [&](const FieldNode& left, const FieldNode& right) { return !in_order(left, right); };
  if (std::ranges::adjacent_find(nodes_, unordered) == nodes_.end()) return;
  std::ranges::stable_sort(nodes_, in_order);
  std::vector<FieldNode> unlike;
  unlike.reserve(nodes_.size());
  for (FieldNode& node : nodes_) {
    if (unlike.empty() || unlike.back().element != node.element) {
      unlike.push_back(std::move(node));
      continue;
    }
    unlike.back().member = unlike.back().member || node.member;
    unlike.back().below = unlike.back().below.plus(node.below);
  }
  nodes_ = std::move(unlike);
}

FieldSet FieldSet::plus(const FieldSet& other) const {
  FieldSet out;
  out.nodes_.reserve(std::max(nodes_.size(), other.nodes_.size()));
  zip(nodes_, other.nodes_, [&](const FieldNode* ours, const FieldNode* theirs) {
    if (ours && theirs) {
      out.put(ours->element, ours->member || theirs->member, ours->below.plus(theirs->below));
    } else {
      out.nodes_.push_back(ours ? *ours : *theirs);
    }
  });
  return out;
}

FieldSet FieldSet::minus(const FieldSet& other) const {
  FieldSet out;
  zip(nodes_, other.nodes_, [&](const FieldNode* ours, const FieldNode* theirs) {
    if (!ours) return;
    if (!theirs) return out.nodes_.push_back(*ours);
    out.put(ours->element, ours->member && !theirs->member, ours->below.minus(theirs->below));
  });
  return out;
}

FieldSet FieldSet::common(const FieldSet& other) const {
  FieldSet out;
  zip(nodes_, other.nodes_, [&](const FieldNode* ours, const FieldNode* theirs) {
    if (!ours || !theirs) return;
    out.put(ours->element, ours->member && theirs->member, ours->below.common(theirs->below));
  });
  return out;
}

FieldSet FieldSet::minus_below(const FieldSet& other) const {
  FieldSet out;
  zip(nodes_, other.nodes_, [&](const FieldNode* ours, const FieldNode* theirs) {
    if (!ours || (theirs && theirs->member)) return;
    if (!theirs) return out.nodes_.push_back(*ours);
    out.put(ours->element, ours->member, ours->below.minus_below(theirs->below));
  });
  return out;
}

void FieldSet::each(const std::function<void(const FieldPath&)>& visit) const {
  FieldPath prefix;
  each(prefix, visit);
}

void FieldSet::each(FieldPath& prefix, const std::function<void(const FieldPath&)>& visit) const {
  for (const FieldNode& node : nodes_) {
    if (!node.member) continue;
    prefix.push_back(node.element);
    visit(prefix);
    prefix.pop_back();
  }
  for (const FieldNode& node : nodes_) {
    if (node.below.empty()) continue;
    prefix.push_back(node.element);
    node.below.each(prefix, visit);
    prefix.pop_back();
  }
}

bool FieldSet::operator==(const FieldSet& other) const {
  return nodes_ == other.nodes_;
}

std::string text_of(const FieldPath& path) {
  std::string out;
  for (const PathElement& element : path) out += element.text();
  return out;
}

}  // namespace tiphys::objects

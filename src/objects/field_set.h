// The fields of an object that somebody owns (structured-merge-diff, fieldpath.Set): a tree of path elements, some of
// which are members. The fields of a member that has fields of its own are members only if they are named.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <vector>

#include "objects/field_set_path.h"

namespace tiphys::objects {

struct FieldNode;
using FieldPath = std::vector<PathElement>;

class FieldSet {
 public:
  FieldSet() = default;
  /// Of fields of objects: {{"metadata", "name"}, {"status"}}.
  FieldSet(std::initializer_list<std::initializer_list<std::string_view>> paths);

  /// Reads FieldsV1. kInvalidArgument: it is no object, or a name in it is malformed; names of a kind that is not known
  /// are passed over.
  static Result<FieldSet> parse(const doc::Value& fields_v1);
  /// As FieldsV1, in canonical order.
  doc::Object to_json() const;

  bool empty() const;
  const std::vector<FieldNode>& nodes() const { return nodes_; }
  const FieldNode* find(const PathElement& element) const;
  bool has(std::span<const PathElement> path) const;

  void insert(std::span<const PathElement> path);
  /// Appends a node, if there is anything in it; unless elements come in their order, sort() is due then.
  void put(PathElement element, bool member, FieldSet below);
  /// Nodes of the same element become one.
  void sort();

  /// Both, one without the other, what is in both; in time linear in the two.
  FieldSet plus(const FieldSet& other) const;
  FieldSet minus(const FieldSet& other) const;
  FieldSet common(const FieldSet& other) const;
  /// Without the other's members and all that is below them.
  FieldSet minus_below(const FieldSet& other) const;

  /// Calls `visit` with each member, those of a node before what is below them.
  void each(const std::function<void(const FieldPath&)>& visit) const;

  bool operator==(const FieldSet& other) const;

 private:
  void each(FieldPath& prefix, const std::function<void(const FieldPath&)>& visit) const;

  std::vector<FieldNode> nodes_;  ///< by element; none has neither a member nor anything below it
};

struct FieldNode {
  PathElement element;
  bool member = false;
  FieldSet below{};

  bool operator==(const FieldNode&) const = default;
};

/// `.spec.containers[name="main"].image`
std::string text_of(const FieldPath& path);

}  // namespace tiphys::objects

// The names that `{{name}}` may use at a place of a manifest.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/workflow.h"
#include "doc/value.h"

namespace tiphys::api {

/// What steps or tasks give to those after them: "steps.a.outputs.result". The steps must outlive it.
class NodeOutputs {
 public:
  /// `prefix` is "steps." or "tasks.".
  explicit NodeOutputs(std::string_view prefix) : prefix_(prefix) {}

  /// `target` is the template that the step runs; nullptr when only a run can tell, and then all is known.
  void add(const Step& step, const Template* target);
  bool knows(std::string_view name) const;
  void list(std::vector<std::string>& names) const;

 private:
  struct Node {
    const Step* step;
    const Template* target;
  };
  static std::vector<std::string> outputs(const Node& node);
  static bool gives(const Node& node, std::string_view output);

  std::string_view prefix_;
  std::unordered_map<std::string_view, Node> nodes_;
  std::vector<Node> tagged_;  ///< those of them whose names have tags
};

/// Names that are known before anything runs. Immutable parents are shared by reference.
class Variables {
 public:
  explicit Variables(const Variables* parent = nullptr) : parent_(parent) {}

  void add(std::string name) { names_.insert(std::move(name)); }
  /// A name that is known, and that nobody can have meant who wrote another one: it is never suggested.
  void add_unlisted(std::string name) { unlisted_.insert(std::move(name)); }
  /// Every name that starts with `prefix`: what only a run can tell.
  void add_prefix(std::string prefix) { prefixes_.push_back(std::move(prefix)); }

  /// `nodes` must outlive this.
  void add_nodes(const NodeOutputs& nodes) { nodes_.push_back(&nodes); }

  bool knows(std::string_view name) const;
  std::vector<std::string> all() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  const Variables* parent_;
  std::unordered_set<std::string, Hash, std::equal_to<>> names_;
  std::unordered_set<std::string, Hash, std::equal_to<>> unlisted_;
  std::vector<std::string> prefixes_;
  std::vector<const NodeOutputs*> nodes_;
};

/// True when the name is Argo's to resolve; other tags pass through untouched (a Go template in a script).
bool is_workflow_variable(std::string_view name);
/// A root of Argo's that the name probably meant ("input.parameters.x"), else "".
std::string misspelled_root(std::string_view name);

/// Calls `visit` for each simple tag of a text: neither an expression nor one around another tag.
void for_each_tag(std::string_view text, const std::function<void(std::string_view name)>& visit);
bool has_tag(std::string_view text);
/// Where a `{{` is that has no `}}` behind it; npos: nowhere.
std::size_t unclosed_tag(std::string_view text);
/// The text with each tag replaced by `placeholder`.
std::string replace_tags(std::string_view text, std::string_view placeholder);
/// Whether `written`, which has tags, may become `text` when these are filled in.
bool may_become(std::string_view written, std::string_view text);

/// Calls `visit` for each string and key of a value, but for members named `skip` at the top.
void for_each_text(const doc::Value& value, const std::string& pointer, std::string_view skip,
                   const std::function<void(std::string_view text, const std::string& pointer)>& visit);

}  // namespace tiphys::api

// The outputs of a node, dense: most are one or two values of parameters that the template declares.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/workflow.h"

namespace tiphys::engine {

/// Whether what an output is declared with has tags, besides its value.
bool has_tag(const api::Parameter& declared);

class NodeOutputs {
 public:
  /// `declared` are the outputs of the template that a pod ran, which must outlive this; null for other nodes. The
  /// exit code is kept elsewhere.
  NodeOutputs(api::Outputs outputs, const api::Outputs* declared);
  NodeOutputs(const NodeOutputs& other);

  /// As a node's status shows them: what a parameter is declared with and its value.
  api::Outputs whole() const;
  const std::string* result() const { return result_.get(); }
  const std::vector<api::Artifact>& artifacts() const;
  /// The parameters to be changed in place: only of nodes that declared nothing.
  api::Outputs* mutable_whole() { return whole_.get(); }

  /// Calls visit(name, value) for each parameter that has a value.
  template <typename Visit>
  void for_each_value(Visit visit) const {
    for (const Value& value : values_) visit(value.declared->name, value.text);
    if (!whole_) return;
    for (const api::Parameter& parameter : whole_->parameters) {
      if (parameter.value) visit(parameter.name, *parameter.value);
    }
  }

 private:
  struct Value {
    const api::Parameter* declared;
    std::string text;
  };
  std::vector<Value> values_;
  std::unique_ptr<std::string> result_;
  std::unique_ptr<api::Outputs> whole_;  ///< instead of values_ when there is more to them; result_ is apart
};

}  // namespace tiphys::engine

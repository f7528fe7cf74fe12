// What the texts of templates and steps may name.
#pragma once

#include <string>
#include <string_view>

#include "engine/machine.h"

namespace tiphys::engine {

/// The variables of a template's body: inputs, node.name, pod.name, steps.name, retries, lastRetry and paths.
class BodyVariables final : public Variables {
 public:
  /// Of a node that exists.
  BodyVariables(const Machine& machine, NodeIndex node);
  /// Of a node to be, whose inputs are `values` or `rich`, as far as they are known.
  BodyVariables(const Machine& machine, const Call& call, const std::string* values, const api::Inputs* rich);

  void provide(std::string_view name, expr::Scope& scope) const override;

 private:
  bool provide_around(std::string_view name, expr::Scope& scope) const;
  void provide_input(std::string_view rest, expr::Scope& scope) const;
  void provide_all_inputs(expr::Scope& scope) const;
  void provide_path(std::string_view name, expr::Scope& scope) const;
  void provide_retry(std::string_view name, expr::Scope& scope) const;
  const std::string* input_value(std::string_view name) const;

  const Machine& machine_;
  NodeIndex node_ = kNoNode;
  std::string_view name_;
  NodeIndex boundary_ = kNoNode;
  const CompiledTemplate* plan_ = nullptr;
  const std::string* values_ = nullptr;
  const api::Inputs* rich_ = nullptr;
  Owner owner_ = Owner::kEntry;
  std::uint32_t task_ = kNoTask;  ///< of a node to be
  std::uint32_t turn_ = kNoTask;
};

/// The variables of the texts within a steps or dag template: the outputs of siblings, and the template's own.
class SiblingVariables final : public Variables {
 public:
  /// `node` is the steps or dag node, which runs.
  SiblingVariables(const Machine& machine, NodeIndex node) : machine_(machine), node_(node), body_(machine, node) {}

  void provide(std::string_view name, expr::Scope& scope) const override;
  /// Also provides "<root>.<task>." for this task, whose node is `node`, though it is not settled: for its hooks.
  /// They also see the status of tasks that run.
  void set_self(std::uint32_t task, NodeIndex node) {
    self_ = task;
    self_node_ = node;
  }
  /// Provides only what this task comes after: as much before and after a restart, whatever has ended meanwhile.
  void look_back_from(std::uint32_t task) { viewer_ = task; }

 private:
  void provide_task(std::uint32_t task, std::string_view field, expr::Scope& scope) const;
  void provide_turn(std::string_view path, expr::Scope& scope) const;
  void provide_outputs(NodeIndex node, const std::string& root, std::string_view field, expr::Scope& scope) const;
  std::string ip_of(NodeIndex index) const;
  void provide_skipped(const CompiledTemplate* plan, const std::string& root, expr::Scope& scope) const;
  void provide_aggregate(std::uint32_t task, const std::string& root, std::string_view field, expr::Scope& scope) const;

  const Machine& machine_;
  NodeIndex node_;
  BodyVariables body_;
  std::uint32_t self_ = kNoTask;
  NodeIndex self_node_ = kNoNode;
  std::uint32_t viewer_ = kNoTask;
};

/// The same within a loop.
class ItemVariables final : public Variables {
 public:
  ItemVariables(const Variables& outer, const LoopItem& item) : outer_(outer), item_(item) {}
  void provide(std::string_view name, expr::Scope& scope) const override;

 private:
  const Variables& outer_;
  const LoopItem& item_;
};

}  // namespace tiphys::engine

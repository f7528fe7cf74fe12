// What a workflow takes from WorkflowTemplates and ClusterWorkflowTemplates, resolved once before it runs, or, where a
// reference has tags, once these are filled in. Original: workflow/templateresolution/context.go, setStoredWfSpec of
// workflow/controller/operator.go.
#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/workflow.h"

namespace tiphys::api {

/// A WorkflowTemplate or ClusterWorkflowTemplate by name.
struct TemplateHolder {
  bool cluster_scope = false;
  std::string name;
  auto operator<=>(const TemplateHolder&) const = default;
  bool operator==(const TemplateHolder&) const = default;
};

/// Give it the objects that it wants until it wants none: then it holds what becomes the workflow's
/// status.storedTemplates and status.storedWorkflowTemplateSpec. What was not found is left out; validation says so of
/// a templateRef.
class References {
 public:
  /// `defaults`: the spec of the plane's workflowDefaults, or null. Templates that the workflow has stored already, as
  /// one that follows another has those of that one, stay as they are.
  explicit References(const Workflow& workflow, doc::Shared defaults = nullptr);
  /// What one of its references comes to as it runs, and what that refers to, beside what it has stored already.
  References(const Workflow& workflow, const TemplateRef& ref);

  /// Objects to get next.
  const std::set<TemplateHolder>& wanted() const { return wanted_; }
  /// The object of a wanted name; null: there is none.
  void add(const TemplateHolder& holder, const doc::Shared& object);

  /// There is anything to store.
  bool any() const { return spec_ || !templates_.empty(); }
  /// The object of workflowTemplateRef is missing or no such template, or one that is referred to cannot be read.
  const std::optional<Error>& error() const { return error_; }
  /// The workflow as a store would hold it once it has begun: with what was found in its status.
  doc::Value stored_in(const doc::Value& workflow) const;
  /// The same as fields of a status.
  doc::Object status_fields() const;
  /// status.storedTemplates alone.
  const doc::Object& templates() const { return templates_; }
  /// Whether there is an object of this name, of those that were wanted.
  bool found(const TemplateHolder& holder) const;

 private:
  /// Where a name is looked up: an object, or the workflow itself.
  using Scope = std::optional<TemplateHolder>;
  struct Use {
    TemplateHolder holder;
    std::string template_name;
  };

  void join(const TemplateHolder& holder);
  void use(const TemplateRef& ref);
  void use(const std::optional<TemplateRef>& ref, const std::string& name, const Scope& scope);
  void visit(const WorkflowSpec& spec);
  void visit(const Template& tmpl, const Scope& scope);
  void visit(const Step& step, const Scope& scope);
  void visit(const LifecycleHook& hook, const Scope& scope);
  void want(const TemplateHolder& holder);
  void follow();

  doc::Shared workflow_spec_;
  doc::Shared defaults_;
  std::optional<TemplateHolder> base_;  ///< of workflowTemplateRef
  std::set<TemplateHolder> wanted_;
  std::map<TemplateHolder, std::optional<Workflow>> known_;  ///< nothing: not found
  std::vector<Use> uses_;                                    ///< still to be looked at
  std::set<std::string, std::less<>> seen_;                  ///< keys of those that were
  std::optional<doc::Value> spec_;
  doc::Object templates_;
  std::optional<Error> error_;
};

/// It has tags: what it names is known only as the step begins.
bool named_at_run_time(const TemplateRef& ref);
bool named_at_run_time(const LifecycleHook& hook);
/// Some step of it, or of those within it, or a hook of theirs, names another object's template by tags.
bool refers_at_run_time(const Template& tmpl);
/// The same of its templates, those that it has stored, and its hooks.
bool refers_at_run_time(const Workflow& workflow);

}  // namespace tiphys::api

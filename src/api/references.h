// What a workflow takes from WorkflowTemplates and ClusterWorkflowTemplates, resolved once before it runs. Original:
// workflow/templateresolution/context.go, setStoredWfSpec of workflow/controller/operator.go.
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
  /// `defaults`: the spec of the plane's workflowDefaults, or null.
  explicit References(const Workflow& workflow, doc::Shared defaults = nullptr);

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

}  // namespace tiphys::api

// The workflows and templates of some files.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/found_templates.h"
#include "api/workflow.h"
#include "base/random.h"
#include "doc/yaml.h"

namespace tiphys::play {

/// What is changed of a workflow before it runs.
struct Submission {
  std::string workflow;  ///< by name or generateName, of any kind that has a workflow in it; "": the only one
  std::string entrypoint;
  std::map<std::string, std::string> parameters;
  std::optional<std::int64_t> parallelism;
  Time start{};
};

/// What the templates of a workflow name.
struct KnownNames {
  std::set<std::string> templates;      ///< "NAME"
  std::set<std::string> leaves;         ///< those that are not made of steps or tasks
  std::set<std::string> template_refs;  ///< "OBJECT/NAME"
  std::set<std::string> nodes;          ///< of steps, tasks, their hooks, and the workflow
  std::set<std::string> workflows;      ///< with what whole names begin

  void add(const KnownNames& other);
  /// A glob of display names or whole names that are there, or may be: loops and retries add to names.
  bool may_name(std::string_view glob) const;
  /// "no node is called ..." with a hint. `more` are names that are known besides.
  std::string no_node(std::string_view glob, std::vector<std::string> more = {}) const;

 private:
  bool may_be_whole(std::string_view glob) const;
};

class WorkflowSet {
 public:
  explicit WorkflowSet(std::vector<doc::Document> documents);

  /// A workflow with the templates that it refers to, as it would begin. An error's message is all findings, rendered
  /// (kInvalidArgument), or says what there is instead (kNotFound).
  Result<api::Workflow> prepare(const Submission& submission, Random& random) const;
  /// What a reference with tags has come to in a workflow of these files.
  Result<api::FoundTemplates> find_template(const api::Workflow& workflow, const api::TemplateRef& ref) const;
  /// What templates of the workflow name. Where it refers to others by tags, that may be any of the files'.
  KnownNames known_names(const api::Workflow& workflow) const;

 private:
  void look_up(api::References& references) const;
  const doc::Document* find(const std::string& name) const;

  std::vector<doc::Document> documents_;
  std::map<api::TemplateHolder, doc::Shared> templates_;
};

}  // namespace tiphys::play

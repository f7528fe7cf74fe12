// What the commands share: flags, names, errors.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/command.h"
#include "cli/session.h"
#include "cli/view/style.h"
#include "cluster/cluster.h"

namespace tiphys::cli {

/// The label of workflows that are for one of several controllers.
inline constexpr std::string_view kInstanceLabel = "workflows.argoproj.io/controller-instanceid";

/// Flags of every command that works on a plane.
struct CommonFlags {
  std::string ns;
  SessionOptions session;
  std::string instance_id = environment("ARGO_INSTANCEID");  ///< of the controller: a label of workflows
  bool no_color = false;
  bool no_utf8 = false;

  void add_to(Flags& flags);
  std::string chosen_namespace() const { return session.choose_namespace(ns); }
  Style style() const;
};

/// For commands that judge manifests as the plane will, and run none.
void add_config_flag(Flags& flags, SessionOptions& session);
/// Flags of a plane that runs in this process.
void add_plane_flags(Flags& flags, SessionOptions& session);
/// kInvalidArgument says what is wrong with one of them.
Status check_plane_flags(const SessionOptions& session);

/// --status and --node-field-selector: which nodes of a workflow are shown.
void add_node_filter(Flags& flags, std::string& status, std::string& selector);

/// Prints an error as "tiphys COMMAND: message" and gives the exit code for it.
int report(std::string_view command, const Error& error);

/// Prints findings of a manifest (kInvalidArgument) as they are and gives kBadUsage; another error is the command's
/// own.
Result<int> report_findings(const Error& error);

/// Which workflows: the filters of `list`, `delete` and their like.
struct WorkflowFilter {
  std::string ns;  ///< "" for all
  std::vector<std::string> status;
  bool completed = false, running = false, resubmitted = false;
  std::string prefix, since, older, labels, fields;
  std::string instance_id;
  std::optional<std::int64_t> chunk_size;
  bool with_nodes = false;

  bool chooses() const {
    return !status.empty() || completed || running || resubmitted || !prefix.empty() || !since.empty() ||
           !older.empty() || !labels.empty() || !fields.empty();
  }
};

/// In the order of `list`.
Result<std::vector<cluster::Object>> list_workflows(Session& session, const WorkflowFilter& filter);

/// The workflow that a name means: "@latest" is the newest of the namespace.
Result<cluster::Key> find_workflow(Session& session, const std::string& ns, const std::string& name);
Result<std::vector<cluster::Key>> find_workflows(Session& session, const std::string& ns,
                                                 const std::vector<std::string>& names);

/// The workflows of a filter and of names, each once.
Result<std::vector<cluster::Object>> chosen_workflows(Session& session, const WorkflowFilter& filter,
                                                      const std::vector<std::string>& names);

Result<cluster::Object> get_object(Session& session, const cluster::Key& key);
Result<cluster::Object> patch_object(Session& session, const cluster::Key& key, cluster::PatchType type,
                                     doc::Value patch);

/// WorkflowService's method for one workflow; `request` is what it takes beside the workflow's name.
Result<doc::Value> ask_of_workflow(Session& session, const std::string& method, const cluster::Key& workflow,
                                   doc::Object request = {});

/// The key of a workflow by its object.
cluster::Key workflow_key(const doc::Value& workflow);

}  // namespace tiphys::cli

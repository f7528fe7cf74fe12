// Workflows from files, with what the command line changes of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "argo/submit_options.h"
#include "cluster/resource.h"
#include "doc/yaml.h"

namespace tiphys::cli {

class Flags;

/// The flags of submit and run that change a workflow before it is created.
struct SubmitOptions : argo::SubmitOptions {
  std::string parameter_file;

  void add_to(Flags& flags);
  /// Those that change the spec, name and labels alone.
  void add_spec_flags(Flags& flags);
};

/// What is known of the plane that manifests are for.
struct PlaneRules {
  doc::Shared defaults{};   ///< its workflowDefaults; null: none, or they are not known
  bool form_alone = false;  ///< it judges by itself, by rules of its own: only what no plane can read is refused before
};

struct Manifest {
  doc::Value workflow;  ///< or another kind of object
  doc::Marks marks;
};

/// What was read, and what to tell the user: warnings, documents that are none of these.
struct Manifests {
  std::vector<Manifest> workflows;
  std::vector<Manifest> templates;  ///< WorkflowTemplates and ClusterWorkflowTemplates
  std::vector<Manifest> crons;      ///< CronWorkflows
  std::vector<Manifest> objects;    ///< ConfigMaps, Secrets and PersistentVolumeClaims: what workflows read and use
  std::string notes;
};

/// Reads files ("-" is standard input). An error's message is ready to print.
Result<Manifests> read_manifests(const std::vector<std::string>& files);
/// The resource of a WorkflowTemplate or ClusterWorkflowTemplate; nullptr for any other document.
const cluster::Resource* template_resource(const doc::Value& document);
/// The resource of a ConfigMap, Secret or PersistentVolumeClaim; nullptr for any other document.
const cluster::Resource* object_resource(const doc::Value& document);
/// Objects that have a namespace and name none are of `ns`.
void set_namespace(doc::Value& object, const std::string& ns);
/// Puts the options into a workflow.
Status apply_options(doc::Value& workflow, const SubmitOptions& options);
/// The options as the message SubmitOpts of a server that applies them.
Result<doc::Object> submit_options(const SubmitOptions& options);
/// Strict reading and validation, without what is known only of templates elsewhere. An error's message is all
/// findings, rendered; warnings are appended to `notes`. A workflow, also that of a CronWorkflow, is taken with the
/// plane's defaults.
Status check_manifest(const Manifest& manifest, std::string& notes, const PlaneRules& rules = {});

/// All of that for several files that hold a workflow: ready to create. kInvalidArgument: bad manifests or options.
Result<Manifests> prepare_workflows(const std::vector<std::string>& files, const SubmitOptions& options,
                                    const PlaneRules& rules = {});

/// A file's whole text, or standard input's for "-"; at most 64 MiB.
Result<std::string> read_text(const std::string& file);

}  // namespace tiphys::cli

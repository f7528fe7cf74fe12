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
/// Strict reading and validation, without what is known only of templates elsewhere. An error's message is all
/// findings, rendered; warnings are appended to `notes`. A workflow, also that of a CronWorkflow, is taken with
/// `defaults`, the plane's workflowDefaults, where they are known.
Status check_manifest(const Manifest& manifest, std::string& notes, const doc::Shared& defaults = nullptr);

/// All of that for several files that hold a workflow: ready to create. kInvalidArgument: bad manifests or options.
Result<Manifests> prepare_workflows(const std::vector<std::string>& files, const SubmitOptions& options,
                                    const doc::Shared& defaults = nullptr);

/// A file's whole text, or standard input's for "-"; at most 64 MiB.
Result<std::string> read_text(const std::string& file);

}  // namespace tiphys::cli

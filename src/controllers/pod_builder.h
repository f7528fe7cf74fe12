// From a template to the pod that runs it. Original: workflow/controller/workflowpod.go.
#pragma once

#include "api/workflow.h"
#include "controllers/artifact_repository.h"
#include "controllers/executor_plugins.h"
#include "controllers/workflow_claims.h"
#include "engine/run.h"
#include "expr/ambient.h"
#include "expr/text_template.h"

namespace tiphys::controllers {

/// Builds the pods of one workflow. What comes from the workflow itself (volumes, pod metadata, scheduling fields) is
/// substituted once.
class PodBuilder {
 public:
  /// `ambient` is what expressions in the workflow's own fields see. `main` is what main containers have unless their
  /// templates say otherwise, or null. `pod_gc_delay`: how long pods stay where the workflow's podGC says nothing of
  /// it.
  PodBuilder(const api::Workflow& workflow, const expr::Ambient& ambient, ArtifactRepository repository = {},
             doc::Shared main = nullptr, Duration pod_gc_delay = std::chrono::seconds(5));

  /// The Pod document: our node agent reads inputs and outputs from its annotations (cluster/pod_annotations.h); there
  /// are no init and wait containers. An error ends the node: a volume that does not exist, a patch that does not
  /// apply. `traceparent` is for programs that go on with a trace; "": there is none.
  Result<doc::Value> build(const engine::CreatePod& request, std::string_view traceparent = "") const;

  /// The pod of the workflow's executor plugins; `secret` holds a token for each, which it finds in
  /// /var/run/argo/token.
  Result<doc::Value> build_agent(const std::string& pod_name, const std::vector<ExecutorPlugin>& plugins,
                                 const std::string& secret) const;

  /// Where artifacts of a template lie that name a key alone.
  Result<doc::Object> archive_location(const doc::Value& pod_template, std::string_view pod_name) const {
    return repository_.location(pod_template, name_, pod_name);
  }
  /// The storage that the workflow claims for its pods.
  const WorkflowClaims& claims() const { return claims_; }

 private:
  Status add_containers(const engine::CreatePod& request, std::string_view traceparent, doc::Object& spec) const;
  static doc::Array offload_main(doc::Value& spec);
  Result<doc::Object> metadata(const engine::CreatePod& request, doc::Array files) const;
  doc::Object object_metadata(std::string_view pod_name, doc::Object labels, doc::Object annotations) const;
  Status add_files(const engine::CreatePod& request, doc::Array files, doc::Object& annotations) const;
  bool archives_logs(const doc::Value& pod_template) const;
  Status add_volumes(const doc::Value& pod_template, doc::Object& spec) const;
  void add_scheduling(const doc::Value& pod_template, doc::Object& spec) const;
  Result<std::string> workflow_patch(const engine::CreatePod& request) const;
  Status apply_patches(const engine::CreatePod& request, doc::Value& spec) const;

  std::string name_, ns_, uid_;
  doc::Shared main_;
  /// The workflow's spec without its templates, its own variables substituted; an error is told by build().
  Result<doc::Shared> spec_;
  ArtifactRepository repository_;
  WorkflowClaims claims_;
  doc::Array claim_volumes_;
  std::string pod_gc_;                                       ///< what its pods are annotated with; "" nothing
  Result<expr::TextTemplate> patch_ = expr::TextTemplate();  ///< its podSpecPatch
};

}  // namespace tiphys::controllers

#include "argo/retry.h"

#include <memory>

#include "argo/change.h"
#include "argo/submit_options.h"
#include "controllers/retry_request.h"
#include "controllers/workflow_status.h"
#include "doc/patch.h"
#include "engine/manual_retry.h"

namespace tiphys::argo {
namespace {

/// Overrides arguments, also those that came with the template that the workflow is made of.
Status override_parameters(doc::Value& workflow, const std::vector<std::string>& parameters) {
  if (parameters.empty()) return {};
  TIPHYS_CHECK_OK(set_parameters(workflow, parameters));
  doc::Value* status = workflow.as_object().if_contains("status");
  doc::Value* stored = status ? status->as_object().if_contains("storedWorkflowTemplateSpec") : nullptr;
  if (!stored || !stored->is_object()) return {};
  doc::Value holder = doc::Object{{"spec", std::move(*stored)}};
  const Status set = set_parameters(holder, parameters);
  *stored = std::move(holder.as_object()["spec"]);
  return set;
}

/// Makes a workflow one for which a retry is asked; gives its nodes as they will be.
Result<std::vector<api::NodeStatus>> ask(doc::Value& workflow, const RetryOptions& options, Time now) {
  TIPHYS_TRY(std::vector<api::NodeStatus> nodes, controllers::read_nodes(workflow));
  const bool chosen = options.restart_successful && !options.selector.empty();
  const bool succeeded = doc::find_string(workflow, "status", "phase") == "Succeeded";
  controllers::RetryRequest request{.other_parameters = !options.parameters.empty()};
  for (const api::NodeStatus& node : nodes) {
    if (chosen && options.selector.matches(node)) request.restarted.insert(node.id);
  }
  TIPHYS_CHECK_OK(controllers::ask_for_retry(workflow, request, chosen, now));
  if (chosen && request.restarted.empty() && succeeded) {
    return fail(Code::kFailedPrecondition, "no node matches the nodeFieldSelector");
  }
  TIPHYS_CHECK_OK(override_parameters(workflow, options.parameters));
  workflow.as_object()["status"].as_object().erase("nodes");
  return engine::retry_nodes(doc::find_string(workflow, "metadata", "name"), std::move(nodes),
                             {.restarted = request.restarted, .other_parameters = request.other_parameters, .now = now})
      .nodes;
}

Result<doc::Value> shown(const doc::Value& updated, const std::vector<api::NodeStatus>& as_they_will_be) {
  doc::Value workflow = updated;
  doc::Object& nodes = doc::ensure_object(doc::ensure_object(workflow.as_object(), "status"), "nodes");
  nodes.clear();
  for (const api::NodeStatus& node : as_they_will_be) {
    TIPHYS_TRY(nodes[node.id], doc::parse_json(api::to_json(node)));
  }
  return workflow;
}

}  // namespace

void retry_workflow(Executor& executor, cluster::Cluster& cluster, const cluster::Key& workflow,
                    const RetryOptions& options, cluster::Done<doc::Value> done) {
  const auto nodes = std::make_shared<std::vector<api::NodeStatus>>();
  change(
      cluster, workflow,
      [&executor, options, nodes](doc::Value& object) -> Status {
        TIPHYS_TRY(*nodes, ask(object, options, executor.now()));
        if (options.labels.empty()) return {};
        return doc::apply_merge_patch(object, doc::Object{{"metadata", doc::Object{{"labels", options.labels}}}});
      },
      [nodes, done = std::move(done)](const Result<cluster::Object>& updated) mutable {
        if (!updated) return done(std::unexpected(updated.error()));
        done(shown(**updated, *nodes));
      });
}

void retry_gone_workflow(Executor& executor, cluster::Cluster& cluster, const doc::Value& archived,
                         const RetryOptions& options, cluster::Done<doc::Value> done) {
  doc::Value asked = archived;
  auto retried = ask(asked, options, executor.now());
  if (!retried) return done(std::unexpected(retried.error()));
  // The controller takes it up as it takes up any retry: with the nodes that there were.
  doc::Object& workflow = asked.as_object();
  if (const doc::Value* nodes = doc::find(archived, "status", "nodes")) {
    doc::ensure_object(workflow, "status")["nodes"] = *nodes;
  }
  doc::Object& metadata = doc::ensure_object(workflow, "metadata");
  for (const char* field : {"uid", "resourceVersion", "creationTimestamp", "generation", "deletionTimestamp",
                            "deletionGracePeriodSeconds", "managedFields"}) {
    metadata.erase(field);
  }
  cluster.create(cluster::kWorkflows, std::move(asked),
                 [nodes = std::move(*retried), done = std::move(done)](Result<cluster::Object> made) mutable {
                   if (!made) return done(std::unexpected(made.error()));
                   done(shown(**made, nodes));
                 });
}

}  // namespace tiphys::argo

#include "argo/retry.h"

#include <fmt/format.h>

#include <memory>

#include "argo/submit_options.h"
#include "controllers/retry_request.h"
#include "controllers/workflow_status.h"
#include "engine/manual_retry.h"

namespace tiphys::argo {
namespace {

/// Somebody else changes the workflow at the same time: read it again and try anew.
constexpr int kMostTries = 10;

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

/// A workflow for which a retry is asked, and what it comes to.
struct Asked {
  doc::Value workflow;
  std::vector<api::NodeStatus> nodes;  ///< as they will be
};

Result<Asked> ask(const doc::Value& before, const RetryOptions& options, Time now) {
  TIPHYS_TRY(std::vector<api::NodeStatus> nodes, controllers::read_nodes(before));
  const bool chosen = options.restart_successful && !options.selector.empty();
  controllers::RetryRequest request{.other_parameters = !options.parameters.empty()};
  for (const api::NodeStatus& node : nodes) {
    if (chosen && options.selector.matches(node)) request.restarted.insert(node.id);
  }
  Asked asked{.workflow = before, .nodes = {}};
  TIPHYS_CHECK_OK(controllers::ask_for_retry(asked.workflow, request, chosen, now));
  if (chosen && request.restarted.empty() && doc::find_string(before, "status", "phase") == "Succeeded") {
    return fail(Code::kFailedPrecondition, "no node matches the nodeFieldSelector");
  }
  TIPHYS_CHECK_OK(override_parameters(asked.workflow, options.parameters));
  asked.workflow.as_object()["status"].as_object().erase("nodes");
  asked.nodes =
      engine::retry_nodes(doc::find_string(before, "metadata", "name"), std::move(nodes),
                          {.restarted = request.restarted, .other_parameters = request.other_parameters, .now = now})
          .nodes;
  return asked;
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

struct Retrying : std::enable_shared_from_this<Retrying> {
  Executor& executor;
  cluster::Cluster& cluster;
  cluster::Key workflow;
  RetryOptions options;
  cluster::Done<doc::Value> done;
  int tries = 0;

  Retrying(Executor& on, cluster::Cluster& plane, cluster::Key key, RetryOptions how, cluster::Done<doc::Value> then)
      : executor(on), cluster(plane), workflow(std::move(key)), options(std::move(how)), done(std::move(then)) {}

  void start() {
    cluster.get(workflow, [self = shared_from_this()](Result<cluster::Object> before) {
      if (!before) return self->done(std::unexpected(before.error()));
      auto asked = ask(**before, self->options, self->executor.now());
      if (!asked) return self->done(std::unexpected(asked.error()));
      self->write(std::move(*asked));
    });
  }

  void write(Asked asked) {
    cluster.update(workflow, std::move(asked.workflow),
                   [self = shared_from_this(), nodes = std::move(asked.nodes)](Result<cluster::Object> updated) {
                     if (updated) return self->done(shown(**updated, nodes));
                     if (updated.error().code == Code::kAborted && ++self->tries < kMostTries) return self->start();
                     self->done(std::unexpected(updated.error()));
                   });
  }
};

}  // namespace

void retry_workflow(Executor& executor, cluster::Cluster& cluster, const cluster::Key& workflow,
                    const RetryOptions& options, cluster::Done<doc::Value> done) {
  std::make_shared<Retrying>(executor, cluster, workflow, options, std::move(done))->start();
}

void retry_gone_workflow(Executor& executor, cluster::Cluster& cluster, const doc::Value& archived,
                         const RetryOptions& options, cluster::Done<doc::Value> done) {
  auto asked = ask(archived, options, executor.now());
  if (!asked) return done(std::unexpected(asked.error()));
  // The controller takes it up as it takes up any retry: with the nodes that there were.
  doc::Object& workflow = asked->workflow.as_object();
  if (const doc::Value* nodes = doc::find(archived, "status", "nodes")) {
    doc::ensure_object(workflow, "status")["nodes"] = *nodes;
  }
  doc::Object& metadata = doc::ensure_object(workflow, "metadata");
  for (const char* field : {"uid", "resourceVersion", "creationTimestamp", "generation", "deletionTimestamp",
                            "deletionGracePeriodSeconds", "managedFields"}) {
    metadata.erase(field);
  }
  cluster.create(cluster::kWorkflows, std::move(asked->workflow),
                 [nodes = std::move(asked->nodes), done = std::move(done)](Result<cluster::Object> made) mutable {
                   if (!made) return done(std::unexpected(made.error()));
                   done(shown(**made, nodes));
                 });
}

}  // namespace tiphys::argo

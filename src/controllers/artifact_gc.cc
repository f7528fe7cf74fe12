#include "controllers/artifact_gc.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/begun_workflow.h"
#include "api/node_status.h"
#include "base/hash.h"
#include "controllers/artifact_repository.h"
#include "controllers/names.h"
#include "doc/truth.h"

namespace tiphys::controllers {
namespace {

constexpr std::string_view kOnCompletion = "OnWorkflowCompletion", kOnDeletion = "OnWorkflowDeletion", kNever = "Never";
constexpr std::string_view kErrorCondition = "ArtifactGCError";

bool completed(const doc::Value& workflow) {
  return doc::find_string(workflow, "metadata", "labels", kCompletedLabel) == "true";
}

bool deleting(const doc::Value& workflow) {
  return !doc::find_string(workflow, "metadata", "deletionTimestamp").empty();
}

bool processed(const doc::Value& workflow, std::string_view strategy) {
  return doc::is_true(workflow, "status", "artifactGCStatus", "strategiesProcessed", strategy);
}

/// Its own, else the workflow's.
std::string_view strategy_of(const doc::Value& artifact, const doc::Value& spec) {
  std::string_view strategy = doc::find_string(artifact, "artifactGC", "strategy");
  if (strategy.empty()) strategy = doc::find_string(spec, "artifactGC", "strategy");
  return strategy.empty() ? kNever : strategy;
}

bool wants_gc(const api::Template& tmpl, const doc::Value& spec) {
  return std::ranges::any_of(tmpl.outputs.artifacts,
                             [&](const api::Artifact& artifact) { return strategy_of(artifact.raw, spec) != kNever; });
}

std::vector<std::string> ready_strategies(const doc::Value& workflow) {
  std::vector<std::string> ready;
  const bool over = completed(workflow);
  if (over && !processed(workflow, kOnCompletion)) ready.emplace_back(kOnCompletion);
  if (over && deleting(workflow) && !processed(workflow, kOnDeletion)) ready.emplace_back(kOnDeletion);
  return ready;
}

void hash_pairs(const doc::Value* pairs, std::map<std::string, std::string>& sorted) {
  if (!pairs || !pairs->is_object()) return;
  for (const auto& [key, value] : pairs->get_object()) sorted[key] = doc::scalar_text(value);
}

/// The original has a pod for all that are deleted by the same account with the same labels and annotations.
std::string pod_name(const doc::Value& workflow, const doc::Value& spec, const doc::Value& artifact,
                     std::string_view strategy) {
  std::string account;
  std::map<std::string, std::string> labels, annotations;
  for (const doc::Value* holder : {&spec, &artifact}) {
    const std::string_view own = doc::find_string(*holder, "artifactGC", "serviceAccountName");
    if (!own.empty()) account = own;
    hash_pairs(doc::find(*holder, "artifactGC", "podMetadata", "labels"), labels);
    hash_pairs(doc::find(*holder, "artifactGC", "podMetadata", "annotations"), annotations);
  }
  std::string hashed = account;
  for (const auto* pairs : {&labels, &annotations}) {
    for (const auto& [key, value] : *pairs) hashed += key + value;
  }
  return fmt::format("{}-artgc-{}-{}", doc::find_string(workflow, "metadata", "name"),
                     strategy == kOnCompletion ? "wfcomp" : "wfdel", fnv1a_32(hashed));
}

/// Calls visit(id, node, artifacts) for each pod's node that has artifacts.
template <typename Visit>
void for_each_output(const doc::Value& workflow, Visit visit) {
  const doc::Value* nodes = doc::find(workflow, "status", "nodes");
  if (!nodes || !nodes->is_object()) return;
  for (const auto& [id, node] : nodes->get_object()) {
    const doc::Value* artifacts = doc::find(node, "outputs", "artifacts");
    if (doc::find_string(node, "type") != "Pod" || !artifacts || !artifacts->is_array()) continue;
    visit(std::string(id), node, artifacts->get_array());
  }
}

/// The list of conditions with this one in it, in place of an earlier one of its type.
doc::Array conditions_with(const doc::Value& workflow, std::string message) {
  doc::Array list;
  const doc::Value* known = doc::find(workflow, "status", "conditions");
  if (known && known->is_array()) {
    for (const doc::Value& each : known->get_array()) {
      if (doc::find_string(each, "type") != kErrorCondition) list.push_back(each);
    }
  }
  list.push_back(doc::Object{{"type", kErrorCondition}, {"status", "True"}, {"message", std::move(message)}});
  return list;
}

}  // namespace

bool wants_artifact_gc(const api::Workflow& workflow) {
  const doc::Value& spec = *workflow.spec.document;
  return std::ranges::any_of(workflow.spec.templates, [&](const auto& tmpl) { return wants_gc(*tmpl, spec); }) ||
         std::ranges::any_of(workflow.stored_templates,
                             [&](const auto& stored) { return wants_gc(*stored.second, spec); });
}

bool has_gc_finalizer(const doc::Value& workflow) {
  const doc::Value* list = doc::find(workflow, "metadata", "finalizers");
  return list && list->is_array() &&
         std::ranges::find(list->get_array(), doc::Value(kArtifactGcFinalizer)) != list->get_array().end();
}

bool awaits_artifact_gc(const doc::Value& workflow) {
  return has_gc_finalizer(workflow) && !ready_strategies(workflow).empty();
}

Result<ArtifactGcPlan> plan_artifact_gc(const doc::Value& workflow) {
  ArtifactGcPlan plan;
  plan.strategies = ready_strategies(workflow);
  if (plan.strategies.empty()) return plan;
  std::vector<api::Finding> passed_over;
  TIPHYS_TRY(const api::Workflow parsed, api::parse_begun_workflow(workflow, passed_over));
  const doc::Value& spec = *parsed.spec.document;
  Status failed;
  for_each_output(workflow, [&](const std::string& id, const doc::Value& node, const doc::Array& artifacts) {
    const auto status = api::parse_node_status(node);
    if (!status && failed) failed = std::unexpected(status.error().in(fmt::format("node {}", id)));
    if (!status) return;
    for (std::size_t i = 0; i < artifacts.size(); ++i) {
      const std::string_view strategy = strategy_of(artifacts[i], spec);
      if (doc::is_true(artifacts[i], "deleted") ||
          std::ranges::find(plan.strategies, strategy) == plan.strategies.end())
        continue;
      plan.items.push_back({id, i, pod_name(workflow, spec, artifacts[i], strategy), std::string(strategy),
                            artifact_location(parsed, *status, artifacts[i])});
    }
  });
  TIPHYS_CHECK_OK(std::move(failed));
  return plan;
}

cluster::WorkflowStatusUpdate artifact_gc_results(const doc::Value& workflow, const ArtifactGcPlan& plan) {
  cluster::WorkflowStatusUpdate update;
  update.completed = true;
  doc::Value status(doc::Object{});
  if (const doc::Value* known = doc::find(workflow, "status", "artifactGCStatus"); known && known->is_object()) {
    status = *known;
  }
  std::map<std::string, doc::Value> nodes;
  for (const ArtifactGcPlan::Item& item : plan.items) {
    doc::ensure_object(status.get_object(), "podsRecouped")[item.task] = true;
    if (!item.error.empty()) {
      update.fields["conditions"] =
          conditions_with(workflow, fmt::format("{} (artifactGCTask: {}-0)", item.error, item.task));
      continue;
    }
    auto [node, fresh] = nodes.try_emplace(item.node_id);
    if (fresh) node->second = *doc::find(workflow, "status", "nodes", item.node_id);
    node->second.at("outputs").at("artifacts").at(item.index).as_object()["deleted"] = true;
  }
  for (const auto& [id, node] : nodes) update.nodes.push_back({id, doc::to_json(node)});
  for (const std::string& strategy : plan.strategies) {
    doc::ensure_object(status.get_object(), "strategiesProcessed")[strategy] = true;
  }
  update.fields["artifactGCStatus"] = std::move(status);
  return update;
}

bool artifact_gc_done(const doc::Value& workflow, const ArtifactGcPlan& plan) {
  const doc::Value* stored = doc::find(workflow, "status", "storedWorkflowTemplateSpec");
  const doc::Value* own = doc::find(workflow, "spec");
  const doc::Value& spec = stored && stored->is_object() ? *stored : *own;
  std::set<std::pair<std::string, std::size_t>> gone;
  for (const ArtifactGcPlan::Item& item : plan.items) {
    if (item.error.empty()) gone.emplace(item.node_id, item.index);
  }
  bool stays = false;
  for_each_output(workflow, [&](const std::string& id, const doc::Value&, const doc::Array& artifacts) {
    for (std::size_t i = 0; i < artifacts.size(); ++i) {
      const bool there = !doc::is_true(artifacts[i], "deleted") && !gone.contains({id, i});
      stays = stays || (there && strategy_of(artifacts[i], spec) != kNever);
    }
  });
  if (!stays) return true;
  // What could not be deleted keeps nobody, and what goes with the deletion does until then.
  const bool forced = doc::is_true(spec, "artifactGC", "forceFinalizerRemoval");
  const doc::Value* recouped = doc::find(workflow, "status", "artifactGCStatus", "podsRecouped");
  return forced && (!plan.items.empty() || (recouped && recouped->is_object() && !recouped->get_object().empty()));
}

}  // namespace tiphys::controllers

#include "controllers/estimates.h"

#include <fmt/format.h>

#include "api/cron_workflow.h"
#include "controllers/names.h"
#include "engine/run.h"

namespace tiphys::controllers {
namespace {

constexpr std::string_view kBaselineField = "estimatedFrom";

std::int64_t seconds_of(const doc::Value& status) {
  const auto started = parse_rfc3339(doc::find_string(status, "startedAt"));
  const auto finished = parse_rfc3339(doc::find_string(status, "finishedAt"));
  if (!started || !finished) return 0;
  return std::chrono::duration_cast<std::chrono::seconds>(*finished - *started).count();
}

}  // namespace

Estimates::Estimates(std::string workflow, const doc::Value& baseline)
    : workflow_(std::move(workflow)), baseline_(doc::find_string(baseline, "metadata", "name")) {
  const doc::Value* status = doc::find(baseline, "status");
  if (!status) return;
  whole_ = seconds_of(*status);
  const doc::Value* nodes = doc::find(*status, "nodes");
  if (!nodes || !nodes->is_object()) return;
  for (const auto& [id, node] : nodes->get_object()) {
    if (const std::int64_t seconds = seconds_of(node)) nodes_.emplace(id, seconds);
  }
}

void Estimates::keep(const std::vector<api::NodeStatus>& nodes) {
  for (const api::NodeStatus& node : nodes) {
    if (node.estimated_seconds > 0) kept_.emplace(node.id, node.estimated_seconds);
  }
}

std::int64_t Estimates::of_node(const std::string& id, std::string_view name) const {
  if (const auto kept = kept_.find(id); kept != kept_.end()) return kept->second;
  if (nodes_.empty()) return 0;
  // As the original does, wherever in the name the workflow's is.
  std::string there(name);
  if (const auto at = there.find(workflow_); at != there.npos) there.replace(at, workflow_.size(), baseline_);
  const auto found = nodes_.find(engine::node_id(baseline_, there));
  return found == nodes_.end() ? 0 : found->second;
}

doc::Object Estimates::status_fields() const {
  doc::Object fields;
  if (whole_ > 0) fields["estimatedDuration"] = whole_;
  if (!nodes_.empty()) fields[kBaselineField] = baseline_;
  return fields;
}

std::optional<std::pair<std::string_view, std::string>> origin_of(const std::map<std::string, std::string>& labels) {
  for (const std::string_view label :
       {kWorkflowTemplateLabel, kClusterWorkflowTemplateLabel, api::kCronWorkflowLabel}) {
    const auto found = labels.find(std::string(label));
    if (found != labels.end() && !found->second.empty()) return std::pair(label, found->second);
  }
  return std::nullopt;
}

std::string_view baseline_of(const doc::Value& workflow) {
  return doc::find_string(workflow, "status", kBaselineField);
}

void fetch_estimates(cluster::Cluster& cluster, const cluster::Key& workflow,
                     const std::pair<std::string_view, std::string>& origin, cluster::Done<Estimates> done) {
  cluster::ListOptions options;
  options.ns = workflow.ns;
  options.newest_ended = options.with_nodes = true;
  auto labels = cluster::Selector::parse(fmt::format("{}={},{}=Succeeded", origin.first, origin.second, kPhaseLabel));
  if (!labels) return done(Estimates());  // no label's value: nothing has it
  options.labels = std::move(*labels);
  cluster.list(cluster::kWorkflows, std::move(options),
               [name = workflow.name, done = std::move(done)](Result<cluster::List> list) mutable {
                 if (!list) return done(std::unexpected(std::move(list).error()));
                 done(list->items.empty() ? Estimates() : Estimates(std::move(name), *list->items.front()));
               });
}

void fetch_estimates(cluster::Cluster& cluster, const cluster::Key& workflow, std::string_view baseline,
                     cluster::Done<Estimates> done) {
  cluster.get({&cluster::kWorkflows, workflow.ns, std::string(baseline)},
              [name = workflow.name, done = std::move(done)](Result<cluster::Object> found) mutable {
                if (found) return done(Estimates(std::move(name), **found));
                if (found.error().code == Code::kNotFound) return done(Estimates());
                done(std::unexpected(std::move(found).error()));
              });
}

}  // namespace tiphys::controllers

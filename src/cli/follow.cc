#include "cli/follow.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/session.h"
#include "cli/view/workflow_text.h"
#include "controllers/artifact_gc.h"

namespace tiphys::cli {

using Type = cluster::WatchEvent::Type;

struct Following::Watches {
  std::unique_ptr<cluster::Watch> workflow;
  std::unique_ptr<cluster::Watch> nodes;
};

Following::Following(Loop& loop, const std::vector<cluster::Key>& workflows, RunView& view, Time created)
    : loop_(loop), view_(view) {
  for (const auto& key : workflows) {
    RunState& run = runs_.emplace_back();
    run.key = key;
    run.created = created;
  }
}

Following::~Following() = default;

bool Following::finished() const {
  return std::all_of(runs_.begin(), runs_.end(), [](const RunState& run) { return run.finished; });
}

bool Following::succeeded() const {
  return std::all_of(runs_.begin(), runs_.end(), [](const RunState& run) { return run.succeeded(); });
}

Status Following::run(cluster::Cluster& cluster) {
  lost_.reset();
  for (auto& run : runs_) {
    if (run.finished) continue;
    watches_.push_back(std::make_unique<Watches>());
    watch(cluster, run, *watches_.back());
  }
  loop_.run_until([this] { return lost_ || finished(); });
  watches_.clear();
  if (lost_) return std::unexpected(*lost_);
  return complete_nodes(cluster);
}

void Following::watch(cluster::Cluster& cluster, RunState& run, Watches& watches) {
  const auto lose = [this](Error error) {
    if (!lost_) lost_ = std::move(error);
  };
  run.listed = false;
  cluster::WatchOptions options;
  options.ns = run.key.ns;
  auto fields = cluster::Selector::parse_fields("metadata.name=" + run.key.name);
  if (!fields) return lose(std::move(fields).error());
  options.fields = std::move(*fields);
  options.bare_status_updates = true;
  cluster::WatchSink sink;
  sink.on_event = [this, &run](const cluster::WatchEvent& event) { take_workflow(run, event); };
  sink.on_end = lose;
  watches.workflow = cluster.watch(cluster::kWorkflows, std::move(options), std::move(sink));

  cluster::Cluster::NodeSink node_sink;
  node_sink.on_node = [this, &run](std::string_view json) { take_node(run, json); };
  node_sink.on_synced = [] {};
  // A workflow that is deleted ends the watch of its nodes; the watch of its object tells the rest.
  node_sink.on_end = [lose](Error error) {
    if (error.code != Code::kNotFound) lose(std::move(error));
  };
  watches.nodes = cluster.watch_nodes(run.key, std::move(node_sink));
}

void Following::take_workflow(RunState& run, const cluster::WatchEvent& event) {
  if (event.type == Type::kSynced) {
    if (run.listed) return;
    if (!run.workflow) {
      lost_ = Error{Code::kNotFound, fmt::format("workflows.argoproj.io \"{}\" not found", run.key.name)};
      return;
    }
    // It went while nobody watched.
    run.deleted = run.finished = true;
    return view_.workflow_changed(run);
  }
  run.listed = true;
  run.workflow = event.object;
  const doc::Value* spec = doc::find(*run.workflow, "spec");
  if (!run.whole || (spec && !spec->is_null())) run.whole = event.object;
  if (run.finished) return;  // labels and the like may still change
  run.deleted = event.type == Type::kDeleted;
  // The artifacts that go with its end are a part of it: whoever follows may be the plane.
  const bool ended = has_ended(*run.workflow);
  run.finished = run.deleted || (ended && !controllers::awaits_artifact_gc(*run.workflow));
  if (ended && run.created != Time{} && run.ended == Time{}) run.ended = loop_.now();
  view_.workflow_changed(run);
}

void Following::take_node(RunState& run, std::string_view json) {
  auto node = api::parse_node_status(json);
  if (!node) return view_.note("a node cannot be read: " + node.error().message);
  api::NodeStatus& known = run.nodes[node->id];
  const api::NodePhase before = known.phase;
  known = std::move(*node);
  view_.node_changed(run, known, before);
}

Status Following::complete_nodes(cluster::Cluster& cluster) {
  for (auto& run : runs_) {
    const bool complete = std::all_of(run.nodes.begin(), run.nodes.end(),
                                      [](const auto& entry) { return api::fulfilled(entry.second.phase); });
    if (run.deleted || (complete && !run.nodes.empty())) continue;
    // The last changes of the nodes were still under way when that of the object came.
    const auto whole = await<cluster::Object>(loop_, [&](auto done) { cluster.get(run.key, std::move(done)); });
    // It may have been deleted since, by its time to live for one.
    if (!whole && whole.error().code == Code::kNotFound) continue;
    if (!whole) return std::unexpected(whole.error());
    TIPHYS_TRY(const NodeMap nodes, read_nodes(**whole));
    for (const auto& [id, node] : nodes) {
      api::NodeStatus& known = run.nodes[id];
      if (known.phase == node.phase) continue;
      const api::NodePhase before = std::exchange(known, node).phase;
      view_.node_changed(run, known, before);
    }
  }
  return {};
}

}  // namespace tiphys::cli

#include <fmt/format.h>

#include <algorithm>

#include "api/artifact_location.h"
#include "cli/commands/common.h"
#include "cli/commands/follow_command.h"
#include "cli/view/tab_writer.h"
#include "cli/view/workflow_text.h"

namespace tiphys::cli {
namespace {

constexpr std::size_t kMostArtifacts = 20;
constexpr std::size_t kMostFailures = 3;
constexpr int kLogLines = 10;

/// Nodes in the order of their start, those of one moment by name.
std::vector<const api::NodeStatus*> ordered(const NodeMap& nodes) {
  std::vector<const api::NodeStatus*> list;
  for (const auto& [id, node] : nodes) list.push_back(&node);
  std::sort(list.begin(), list.end(), [](const api::NodeStatus* a, const api::NodeStatus* b) {
    return std::tie(a->started_at, a->name) < std::tie(b->started_at, b->name);
  });
  return list;
}

std::string parameters_section(const RunState& run) {
  std::string rows;
  const auto add = [&](std::string_view name, const std::optional<std::string>& value) {
    if (value) rows += fmt::format("  {}\t{}\n", name, printable(*value));
  };
  if (const doc::Value* outputs = doc::find(*run.workflow, "status", "outputs")) {
    const auto global = api::parse_outputs(*outputs);
    if (global) {
      for (const auto& parameter : global->parameters) add(parameter.name, parameter.value);
    }
  }
  if (const auto root = run.nodes.find(run.key.name); root != run.nodes.end() && root->second.outputs) {
    for (const auto& parameter : root->second.outputs->parameters) add(parameter.name, parameter.value);
    add("result", root->second.outputs->result);
  }
  return rows.empty() ? "" : "\nOutputs:\n" + align_columns(rows, 2);
}

/// Where it lies, for people: a path of this host, a URL, or a key and its bucket. `repository` is where keys lie that
/// name no store.
std::string place_of(Session& session, const api::Artifact& artifact, const doc::Object& repository) {
  const doc::Value location = api::relocated(artifact.location, repository);
  if (!location.is_object()) return {};
  const std::string_view kind = api::location_kind(location.get_object());
  const doc::Value& place = location.get_object().at(kind);
  if (const std::string_view url = doc::find_string(place, "url"); !url.empty()) return std::string(url);
  const std::string key = api::location_key(kind, place);
  if (kind == "plugin") return fmt::format("{}: {}", doc::find_string(place, "name"), key);
  const std::string_view bucket = doc::find_string(place, "bucket");
  if (key.empty() || !bucket.empty()) return key.empty() ? "" : fmt::format("{}://{}/{}", kind, bucket, key);
  const std::string path = kind == "s3" ? session.artifact_path(key) : "";
  return path.empty() ? key : path;
}

/// Where keys of the workflow's artifacts lie.
doc::Object repository_of(const doc::Value& workflow) {
  const doc::Value* repository = doc::find(workflow, "status", "artifactRepositoryRef", "artifactRepository");
  doc::Value location =
      repository && repository->is_object() ? api::repository_location(repository->get_object()) : nullptr;
  if (location.is_object()) return location.get_object();
  return {{"s3", doc::Object{}}};
}

/// Rows of artifacts, the most important ones only.
struct ArtifactRows {
  Session& session;
  doc::Object repository;
  std::string text{};
  std::size_t count = 0;

  void add(std::string_view owner, const std::vector<api::Artifact>& artifacts) {
    for (const auto& artifact : artifacts) {
      const std::string place = place_of(session, artifact, repository);
      if (place.empty() || ++count > kMostArtifacts) continue;
      text += fmt::format("  {}{}\t{}\n", owner.empty() ? "" : fmt::format("{}\t", printable(owner)), artifact.name,
                          printable(place));
    }
  }
};

std::string artifacts_section(Session& session, const RunState& run) {
  ArtifactRows rows{session, repository_of(*run.workflow)};
  // What the workflow itself gives; where it gives nothing, what its steps do.
  if (const doc::Value* outputs = doc::find(*run.workflow, "status", "outputs")) {
    if (const auto global = api::parse_outputs(*outputs)) rows.add("", global->artifacts);
  }
  const auto root = run.nodes.find(run.key.name);
  if (rows.count == 0 && root != run.nodes.end() && root->second.outputs) rows.add("", root->second.outputs->artifacts);
  if (rows.count == 0) {
    for (const api::NodeStatus* node : ordered(run.nodes)) {
      if (node->outputs && node->type == api::NodeType::kPod) rows.add(node->display_name, node->outputs->artifacts);
    }
  }
  if (rows.text.empty()) return {};
  std::string text = "\nArtifacts:\n" + align_columns(rows.text, 2);
  if (rows.count > kMostArtifacts) {
    text += fmt::format("  and {} more: tiphys get {} -o json\n", rows.count - kMostArtifacts, run.key.name);
  }
  return text;
}

std::string last_log_lines(Session& session, const cluster::Key& pod) {
  struct Reading {
    std::string text;
    bool ended = false;
  };
  const auto reading = std::make_shared<Reading>();
  cluster::LogOptions options;
  options.tail = kLogLines;
  cluster::LogSink sink;
  sink.on_line = [reading](std::string_view line, Time, std::string_view) {
    reading->text += fmt::format("    {}\n", line);
  };
  sink.on_end = [reading](Status) { reading->ended = true; };  // a pod that never ran has no log
  const auto handle = session.cluster().read_log(pod, std::move(options), std::move(sink));
  session.loop().run_until([&] { return reading->ended; });
  return reading->text;
}

std::string failures_section(Session& session, const RunState& run, const Style& style) {
  std::string text;
  std::size_t count = 0;
  bool without_image = false;
  for (const api::NodeStatus* node : ordered(run.nodes)) {
    const bool leaf =
        node->type == api::NodeType::kPod || (node->children.empty() && node->type != api::NodeType::kSkipped);
    if (!api::failed_or_error(node->phase) || !leaf) continue;
    without_image = without_image || node->message.find("ErrImage") != std::string::npos;
    if (++count > kMostFailures) continue;
    text += fmt::format("\n{} {}: {}\n", style.node_icon(*node), printable(node->name), printable(node->message));
    if (node->type == api::NodeType::kPod) {
      text += last_log_lines(session, {&cluster::kPods, run.key.ns, pod_name(run.key.name, *node)});
    }
  }
  if (count > kMostFailures)
    text += fmt::format("\nand {} more failed: tiphys get {} --status Failed\n", count - kMostFailures, run.key.name);
  if (without_image) text += "\n--runtime process runs steps as commands of this host, without their images\n";
  return text;
}

}  // namespace

std::string closing_report(Session& session, const RunState& run, const Style& style) {
  if (run.deleted) return fmt::format("{} was deleted\n", run.key.name);
  const Time now = session.loop().now();
  std::string text = compact_tree(run, style, now);
  if (!run.succeeded()) text += failures_section(session, run, style);
  text += parameters_section(run);
  text += artifacts_section(session, run);
  text += "\n" + progress_line(run, style, now);
  const std::string_view message = doc::find_string(*run.workflow, "status", "message");
  // A workflow of one step has its step's message, which the tree shows.
  const auto root = run.nodes.find(run.key.name);
  const bool told = root != run.nodes.end() && root->second.message == message;
  if (!message.empty() && !told && !run.succeeded()) text += fmt::format("  {}", printable(message));
  return text + "\n";
}

}  // namespace tiphys::cli

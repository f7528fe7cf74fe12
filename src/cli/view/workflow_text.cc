#include "cli/view/workflow_text.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/strings.h"
#include "cli/view/humanize.h"
#include "cli/view/tab_writer.h"

namespace tiphys::cli {
namespace {

using api::NodeStatus;

constexpr std::size_t kLongestPodPrefix = 242;

std::string fact(std::string_view name, std::string_view value) {
  return fmt::format("{:<20} {}\n", name, value);
}

/// An artifact's place as one line: the members of its location.
std::string artifact_place(const doc::Value& artifact) {
  for (const char* kind : {"s3", "gcs", "azure", "oss", "hdfs", "http", "artifactory", "git", "raw"}) {
    const doc::Value* location = doc::find(artifact, kind);
    if (!location) continue;
    const std::string_view key = doc::find_string(*location, "key");
    return key.empty() ? doc::to_json(*location) : std::string(key);
  }
  return {};
}

std::string named_values(const doc::Value* list, std::string_view heading) {
  const doc::Array* parameters = list ? list->if_array() : nullptr;
  if (!parameters || parameters->empty()) return {};
  std::string text = fact(heading, "");
  for (const auto& parameter : *parameters) {
    const doc::Value* value = doc::find(parameter, "value");
    if (!value || value->is_null()) continue;
    text += fact(fmt::format("  {}:", doc::find_string(parameter, "name")), printable(doc::scalar_text(*value)));
  }
  return text;
}

std::string output_artifacts(const doc::Value* list) {
  const doc::Array* artifacts = list ? list->if_array() : nullptr;
  if (!artifacts || artifacts->empty()) return {};
  std::string text = fact("Output Artifacts:", "");
  for (const auto& artifact : *artifacts) {
    text += fact(fmt::format("  {}:", doc::find_string(artifact, "name")), printable(artifact_place(artifact)));
  }
  return text;
}

std::string conditions_text(const doc::Value& workflow, const Style& style) {
  const doc::Value* list = doc::find(workflow, "status", "conditions");
  const doc::Array* conditions = list ? list->if_array() : nullptr;
  if (!conditions || conditions->empty()) return {};
  std::string text = fact("Conditions:", "");
  for (const auto& condition : *conditions) {
    const std::string_view type = doc::find_string(condition, "type");
    std::string_view message = doc::find_string(condition, "message");
    if (message.empty()) message = doc::find_string(condition, "status");
    text += fact(fmt::format("{} {}", style.condition_icon(type), type), printable(message));
  }
  return text;
}

std::string times_text(const doc::Value& workflow, Time now) {
  const Time started = time_at(workflow, "status", "startedAt");
  const Time finished = time_at(workflow, "status", "finishedAt");
  std::string text = fact("Created:", timestamp_with_age(time_at(workflow, "metadata", "creationTimestamp"), now));
  if (started != Time{}) text += fact("Started:", timestamp_with_age(started, now));
  if (finished != Time{}) text += fact("Finished:", timestamp_with_age(finished, now));
  if (started != Time{}) text += fact("Duration:", long_duration(started, finished, now));
  const doc::Value* estimated = doc::find(workflow, "status", "estimatedDuration");
  const bool running = doc::find_string(workflow, "status", "phase") == "Running";
  if (running && estimated && estimated->is_int64() && estimated->get_int64() > 0) {
    const Time expected = started + std::chrono::seconds(estimated->get_int64());
    text += fact("EstimatedDuration:", long_duration(started, expected, now));
  }
  return text;
}

std::string artifact_names(const NodeStatus& node) {
  std::vector<std::string> names;
  if (node.outputs) {
    for (const auto& artifact : node.outputs->artifacts) names.push_back(artifact.name);
  }
  return join(names, ",");
}

/// "2s*(1 cpu),2s*(100Mi memory)"
std::string resources_text(const api::ResourcesDuration& resources) {
  std::string text;
  for (const auto& [name, seconds] : resources) {
    const std::string_view unit = name == "memory"                                   ? "100Mi"
                                  : name == "storage" || name == "ephemeral-storage" ? "10Gi"
                                                                                     : "1";
    text += fmt::format("{}{}*({} {})", text.empty() ? "" : ",", format_go_duration(std::chrono::seconds(seconds)),
                        unit, name);
  }
  return text;
}

std::string tree_row(const std::string& workflow_name, const TreeLine& line, const TreeOptions& options, Time now) {
  const NodeStatus* node = line.entry->node;
  if (!node) return fmt::format("{}{}\n", line.prefix, line.entry->summary);
  const bool pod = node->type == api::NodeType::kPod;
  const std::string step =
      fmt::format("{}{} {}", line.prefix, options.style.node_icon(*node), printable(node->display_name));
  const std::string pod_column = pod ? pod_name(workflow_name, *node) : "";
  const std::string duration = pod ? short_duration(node->started_at, node->finished_at, now) : "";
  const std::string message = printable(node->message);
  const std::string_view host = pod ? std::string_view(node->host_node_name) : "";
  switch (options.output) {
    case TreeOutput::kWide:
      return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", step, shown_template(*node), pod_column, duration,
                         artifact_names(*node), message, resources_text(node->resources_duration), host);
    case TreeOutput::kShort:
      return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", step, shown_template(*node), pod_column, duration, message, host);
    case TreeOutput::kDefault:
      return fmt::format("{}\t{}\t{}\t{}\t{}\t\n", step, shown_template(*node), pod_column, duration, message);
  }
  return {};
}

std::string_view heading(TreeOutput output) {
  switch (output) {
    case TreeOutput::kWide:
      return "\tTEMPLATE\tPODNAME\tDURATION\tARTIFACTS\tMESSAGE\tRESOURCESDURATION\tNODENAME\n";
    case TreeOutput::kShort:
      return "\tTEMPLATE\tPODNAME\tDURATION\tMESSAGE\tNODENAME\n";
    case TreeOutput::kDefault:
      return "\tTEMPLATE\tPODNAME\tDURATION\tMESSAGE\n";
  }
  return {};
}

}  // namespace

Result<NodeMap> read_nodes(const doc::Value& workflow) {
  NodeMap nodes;
  const doc::Value* member = doc::find(workflow, "status", "nodes");
  const doc::Object* object = member ? member->if_object() : nullptr;
  if (!object) return nodes;
  for (const auto& entry : *object) {
    TIPHYS_TRY(auto node, api::parse_node_status(entry.value()));
    nodes.emplace(std::string(entry.key()), std::move(node));
  }
  return nodes;
}

const doc::Value& spec_of(const doc::Value& workflow) {
  static const doc::Value kNone;
  const doc::Value* spec = doc::find(workflow, "spec");
  return spec ? *spec : kNone;
}

const doc::Value& running_spec(const doc::Value& workflow) {
  const doc::Value* stored = doc::find(workflow, "status", "storedWorkflowTemplateSpec");
  return stored && stored->is_object() ? *stored : spec_of(workflow);
}

std::string workflow_status(const doc::Value& workflow, const doc::Value& spec, const NodeMap& nodes) {
  const std::string_view phase = doc::find_string(workflow, "status", "phase");
  if (phase == "Running") {
    const doc::Value* suspend = doc::find(spec, "suspend");
    if (suspend && suspend->is_bool() && suspend->get_bool()) return "Running (Suspended)";
    for (const auto& [id, node] : nodes) {
      if (is_active_suspend(node)) return "Running (Suspended)";
    }
  }
  if (phase == "Failed" && !doc::find_string(spec, "shutdown").empty()) return "Failed (Terminated)";
  if (phase.empty() || phase == "Pending") {
    return doc::find_string(workflow, "metadata", "creationTimestamp").empty() ? "Unknown" : "Pending";
  }
  return std::string(phase);
}

std::string workflow_facts(const doc::Value& workflow, const NodeMap& nodes, const Style& style, Time now) {
  std::string text = fact("Name:", doc::find_string(workflow, "metadata", "name"));
  text += fact("Namespace:", doc::find_string(workflow, "metadata", "namespace"));
  const doc::Value& spec = running_spec(workflow);
  const std::string_view account = doc::find_string(spec, "serviceAccountName");
  const bool from_template = doc::find(workflow, "spec", "workflowTemplateRef") != nullptr;
  text += fact("ServiceAccount:", !account.empty() ? account
                                  : from_template  ? "unset"
                                                   : "unset (will run with the default ServiceAccount)");
  text += fact("Status:", workflow_status(workflow, spec_of(workflow), nodes));
  const std::string_view message = doc::find_string(workflow, "status", "message");
  if (!message.empty()) text += fact("Message:", printable(message));
  text += conditions_text(workflow, style);
  text += times_text(workflow, now);
  text += fact("Progress:", doc::find_string(workflow, "status", "progress"));
  const auto resources = api::read_resources_duration(doc::find(workflow, "status", "resourcesDuration"));
  if (!resources.empty()) text += fact("ResourcesDuration:", resources_text(resources));
  text += named_values(doc::find(spec, "arguments", "parameters"), "Parameters:");
  text += named_values(doc::find(workflow, "status", "outputs", "parameters"), "Output Parameters:");
  text += output_artifacts(doc::find(workflow, "status", "outputs", "artifacts"));
  return text;
}

std::string tree_table(const std::string& workflow_name, const NodeMap& nodes, const TreeOptions& options, Time now) {
  const NodeTree tree(nodes, workflow_name);
  if (!tree.main()) return {};
  const auto wanted = [&](const NodeStatus& node) {
    return options.selector.empty() || options.selector.matches(node);
  };
  std::string text = options.style.paint("STEP", Color::kDefault) + std::string(heading(options.output));
  for (const auto& line : draw_tree(*tree.main(), options.style.utf8, wanted)) {
    text += tree_row(workflow_name, line, options, now);
  }
  if (tree.on_exit()) {
    text += "\t\t\t\t\t\n";
    for (const auto& line : draw_tree(*tree.on_exit(), options.style.utf8, wanted)) {
      text += tree_row(workflow_name, line, options, now);
    }
  }
  return align_columns(text, 2);
}

std::string workflow_text(const doc::Value& workflow, const NodeMap& nodes, const TreeOptions& options, Time now) {
  const std::string name(doc::find_string(workflow, "metadata", "name"));
  std::string table = tree_table(name, nodes, options, now);
  if (options.output == TreeOutput::kShort && !table.empty()) return table;
  const std::string facts = workflow_facts(workflow, nodes, options.style, now);
  return table.empty() ? facts : facts + "\n" + table;
}

Time time_at(const doc::Value& workflow, std::string_view section, std::string_view field) {
  const std::string_view text = doc::find_string(workflow, section, field);
  if (text.empty()) return {};
  return parse_rfc3339(text).value_or(Time{});
}

std::string shown_template(const NodeStatus& node) {
  if (!node.template_ref) return node.template_name;
  return fmt::format("{}/{}", node.template_ref->name, node.template_ref->template_name);
}

std::string pod_name(const std::string& workflow_name, const NodeStatus& node) {
  if (node.name == workflow_name) return workflow_name;
  std::string prefix = workflow_name;
  if (const std::string& name = api::template_of(node); !name.empty()) prefix += "-" + name;
  if (prefix.size() > kLongestPodPrefix) prefix.resize(kLongestPodPrefix);
  return fmt::format("{}-{}", prefix, fnv1a_32(node.name));
}

}  // namespace tiphys::cli

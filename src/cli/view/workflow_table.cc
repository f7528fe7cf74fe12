#include "cli/view/workflow_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/view/humanize.h"
#include "cli/view/run_state.h"
#include "cli/view/tab_writer.h"
#include "cli/view/workflow_text.h"

namespace tiphys::cli {
namespace {

constexpr std::size_t kManyWorkflows = 100;

/// Long values lose their middle.
std::string shortened(const std::string& value) {
  constexpr std::size_t kLongest = 50;
  constexpr std::size_t kEnd = 15;
  if (value.size() <= kLongest) return value;
  return value.substr(0, kLongest - 3 - kEnd) + "..." + value.substr(value.size() - kEnd);
}

std::string parameters_text(const doc::Value& workflow) {
  const doc::Value* list = doc::find(workflow, "spec", "arguments", "parameters");
  const doc::Array* parameters = list ? list->if_array() : nullptr;
  if (!parameters) return {};
  std::vector<std::string> parts;
  for (const auto& parameter : *parameters) {
    const doc::Value* value = doc::find(parameter, "value");
    if (!value || value->is_null()) continue;
    const std::string text = printable(doc::scalar_text(*value));
    parts.push_back(fmt::format("{}={}", doc::find_string(parameter, "name"), shortened(text)));
  }
  return join(parts, ",");
}

std::string pod_counts(const NodeMap& nodes) {
  int pending = 0, running = 0, completed = 0;
  for (const auto& [id, node] : nodes) {
    if (node.type != api::NodeType::kPod) continue;
    if (api::fulfilled(node.phase)) {
      ++completed;
    } else if (node.phase == api::NodePhase::kRunning) {
      ++running;
    } else {
      ++pending;
    }
  }
  return fmt::format("{}/{}/{}", pending, running, completed);
}

std::string row(const doc::Value& workflow, const TableOptions& options, Time now) {
  // A node that cannot be read costs its count, not the whole list.
  const NodeMap nodes = read_nodes(workflow).value_or(NodeMap{});
  const Time created = time_at(workflow, "metadata", "creationTimestamp");
  const Time started = time_at(workflow, "status", "startedAt");
  const Time finished = time_at(workflow, "status", "finishedAt");
  const doc::Value* priority = doc::find(workflow, "spec", "priority");
  std::string text;
  if (options.with_namespace) text += fmt::format("{}\t", doc::find_string(workflow, "metadata", "namespace"));
  text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}", doc::find_string(workflow, "metadata", "name"),
                      workflow_status(workflow, spec_of(workflow), nodes), short_duration(created, now, now),
                      short_duration(started, finished, now), priority ? doc::scalar_text(*priority) : "0",
                      printable(doc::find_string(workflow, "status", "message")));
  if (options.wide) text += fmt::format("\t{}\t{}", pod_counts(nodes), parameters_text(workflow));
  if (options.with_uid) text += fmt::format("\t{}", doc::find_string(workflow, "metadata", "uid"));
  return text + "\n";
}

std::string cost_note(std::span<const cluster::Object> workflows) {
  const std::size_t completed =
      std::count_if(workflows.begin(), workflows.end(), [](const auto& workflow) { return has_ended(*workflow); });
  const std::size_t incomplete = workflows.size() - completed;
  if (completed <= kManyWorkflows && incomplete <= kManyWorkflows) return {};
  std::string text = "\nYou have at least ";
  if (incomplete > kManyWorkflows) text += fmt::format("{} incomplete ", incomplete);
  if (incomplete > kManyWorkflows && completed > kManyWorkflows) text += "and ";
  if (completed > kManyWorkflows) text += fmt::format("{} completed ", completed);
  return text + "workflows. `tiphys delete --older 7d` removes those that finished more than a week ago.\n";
}

}  // namespace

std::string workflow_table(std::span<const cluster::Object> workflows, const TableOptions& options, Time now) {
  std::string text;
  if (options.headers) {
    if (options.with_namespace) text += "NAMESPACE\t";
    text += "NAME\tSTATUS\tAGE\tDURATION\tPRIORITY\tMESSAGE";
    if (options.wide) text += "\tP/R/C\tPARAMETERS";
    if (options.with_uid) text += "\tUID";
    text += "\n";
  }
  for (const auto& workflow : workflows) text += row(*workflow, options, now);
  return align_columns(text, 3) + (options.with_uid ? "" : cost_note(workflows));
}

void sort_for_list(std::vector<cluster::Object>& workflows) {
  struct Keyed {
    Time created, finished;
    cluster::Object workflow;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(workflows.size());
  for (auto& workflow : workflows) {
    keyed.push_back({time_at(*workflow, "metadata", "creationTimestamp"), time_at(*workflow, "status", "finishedAt"),
                     std::move(workflow)});
  }
  std::stable_sort(keyed.begin(), keyed.end(), [](const Keyed& a, const Keyed& b) {
    if (a.finished == Time{} || b.finished == Time{}) {
      if (a.finished != b.finished) return a.finished == Time{};
      return a.created > b.created;
    }
    return a.finished > b.finished;
  });
  std::transform(keyed.begin(), keyed.end(), workflows.begin(), [](Keyed& entry) { return std::move(entry.workflow); });
}

}  // namespace tiphys::cli

#include "cli/commands/output.h"

#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/terminal.h"
#include "doc/yaml.h"

namespace tiphys::cli {

Result<std::string> render_workflow(const doc::Value& workflow, const OutputOptions& options, Time now) {
  if (options.output == "name") return std::string(doc::find_string(workflow, "metadata", "name")) + "\n";
  if (options.output == "json") return doc::to_pretty_json(workflow, 4) + "\n";
  if (options.output == "yaml") return doc::to_yaml(workflow);
  TIPHYS_TRY(const NodeMap nodes, read_nodes(workflow));
  TreeOptions tree;
  if (options.output == "wide") tree.output = TreeOutput::kWide;
  if (options.output == "short") tree.output = TreeOutput::kShort;
  tree.selector = options.selector;
  tree.style = options.style;
  return workflow_text(workflow, nodes, tree, now);
}

Status print_workflow(Session& session, const cluster::Key& key, const OutputOptions& options) {
  TIPHYS_TRY(const auto workflow, get_object(session, key));
  TIPHYS_TRY(const auto text, render_workflow(*workflow, options, session.loop().now()));
  print(text);
  return {};
}

void print_workflows(const std::vector<cluster::Object>& workflows, const std::string& output,
                     const TableOptions& table, Time now) {
  if (output == "json" || output == "yaml") {
    doc::Array array;
    for (const auto& workflow : workflows) array.push_back(*workflow);
    const doc::Value list(std::move(array));
    print(workflows.empty() ? "[]\n" : output == "json" ? doc::to_pretty_json(list, 2) + "\n" : doc::to_yaml(list));
  } else if (output == "name") {
    for (const auto& workflow : workflows) print(fmt::format("{}\n", doc::find_string(*workflow, "metadata", "name")));
  } else if (workflows.empty()) {
    print("No workflows found\n");
  } else {
    print(workflow_table(workflows, table, now));
  }
}

}  // namespace tiphys::cli

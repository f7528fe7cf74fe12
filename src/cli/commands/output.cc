#include "cli/commands/output.h"

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

}  // namespace tiphys::cli

// One workflow in the forms of `-o`.
#pragma once

#include "cli/session.h"
#include "cli/view/workflow_table.h"
#include "cli/view/workflow_text.h"

namespace tiphys::cli {

struct OutputOptions {
  std::string output;  ///< "", wide, short, name, json, yaml
  NodeSelector selector;
  Style style;
};

/// The text of a workflow that has its nodes.
Result<std::string> render_workflow(const doc::Value& workflow, const OutputOptions& options, Time now);
/// Gets and prints it.
Status print_workflow(Session& session, const cluster::Key& key, const OutputOptions& options);

/// Prints a list: json, yaml, name, or the table.
void print_workflows(const std::vector<cluster::Object>& workflows, const std::string& output,
                     const TableOptions& table, Time now);

}  // namespace tiphys::cli

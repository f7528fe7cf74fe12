// tiphys retry: workflows that have ended go on where they failed.
#include <fmt/format.h>

#include "argo/resubmit.h"
#include "cli/commands/common.h"
#include "cli/commands/output.h"
#include "cli/commands/stay.h"
#include "cli/manifest.h"
#include "cli/terminal.h"

namespace tiphys::cli {
namespace {

struct RetryFlags {
  CommonFlags common;
  SubmitOptions options;  ///< parameters alone
  WorkflowFilter filter;
  StayFlags stay;
  std::vector<std::string> names;
  bool restart_successful = false;
  std::string node_selector, output;

  void add_to(Flags& flags) {
    flags.positional("WORKFLOW", names, 0, 1000);
    flags.flag("--restart-successful", restart_successful,
               "Also run nodes again that have succeeded, those that match --node-field-selector");
    flags.text("--node-field-selector", node_selector, "SELECTOR",
               "With --restart-successful: these nodes, such as displayName=train");
    flags.list("-p,--parameter", options.parameters, "NAME=VALUE", "Override an input parameter; may be repeated");
    flags.text("-l,--selector", filter.labels, "LABELS", "Workflows with these labels (a=b,c!=d)");
    flags.text("--field-selector", filter.fields, "FIELDS", "Workflows with these fields (metadata.name=x)");
    flags.choice("-o,--output", output, {"name", "json", "yaml", "wide"}, "Output format");
    stay.add_to(flags);
    add_plane_flags(flags, common.session);
    common.add_to(flags);
  }
};

/// Gives the workflow as it goes on.
Result<doc::Value> retry(Session& session, const cluster::Object& before, const cluster::Key& key,
                         const RetryFlags& flags) {
  const auto& parameters = flags.options.parameters;
  if (!parameters.empty() && !doc::find_string(*before, "metadata", "labels", argo::kResubmittedFromLabel).empty()) {
    print_error("Overriding parameters on resubmitted workflows may have unexpected results\n");
  }
  return ask_of_workflow(session, "RetryWorkflow", key,
                         {{"restartSuccessful", flags.restart_successful},
                          {"nodeFieldSelector", flags.node_selector},
                          {"parameters", doc::Array(parameters.begin(), parameters.end())}});
}

Result<int> retry_all(RetryFlags& flags) {
  if (flags.names.empty() && !flags.filter.chooses()) {
    return fail(Code::kInvalidArgument, "requires either selector or workflow");
  }
  if (const auto selector = NodeSelector::parse(flags.node_selector, ""); !selector) {
    return std::unexpected(
        selector.error().in(fmt::format("unable to parse node field selector '{}'", flags.node_selector)));
  }
  flags.filter.ns = flags.common.chosen_namespace();
  flags.options.ns = flags.filter.ns;
  Loop loop;
  TIPHYS_TRY(auto session, open_session(loop, flags.common.session, Need::kRun));
  TIPHYS_TRY(const auto workflows, chosen_workflows(*session, flags.filter, flags.names));
  TIPHYS_CHECK_OK(flags.stay.check(workflows.size()));
  const OutputOptions output{.output = flags.output, .selector = {}, .style = flags.common.style()};
  std::vector<cluster::Key> keys;
  for (const auto& workflow : workflows) {
    const cluster::Key& key = keys.emplace_back(workflow_key(*workflow));
    const auto retried = retry(*session, workflow, key, flags);
    if (!retried) return std::unexpected(retried.error().in("failed to retry " + key.name));
    TIPHYS_TRY(const auto text, render_workflow(*retried, output, loop.now()));
    print(text);
  }
  if (keys.empty()) return kSucceeded;
  return stay(session, flags.common, flags.stay, !flags.output.empty() && flags.output != "wide", keys);
}

}  // namespace

int retry_command(const Arguments& arguments) {
  Flags flags("retry", "Retry workflows: failed ones go on where they failed",
              "  tiphys retry my-wf\n  tiphys retry @latest --watch\n  tiphys retry -l app=train -p rate=0.1\n"
              "  tiphys retry my-wf --restart-successful --node-field-selector displayName=train\n");
  RetryFlags retry_flags;
  retry_flags.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("retry", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = retry_all(retry_flags);
  return code ? *code : report("retry", code.error());
}

}  // namespace tiphys::cli

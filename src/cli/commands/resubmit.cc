// tiphys resubmit: workflows that have run before, as new ones.
#include "argo/resubmit.h"

#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/commands/output.h"
#include "cli/commands/resubmission.h"
#include "cli/commands/stay.h"
#include "cli/manifest.h"
#include "cli/terminal.h"

namespace tiphys::cli {
namespace {

struct ResubmitFlags {
  CommonFlags common;
  SubmitOptions options;
  WorkflowFilter filter;
  StayFlags stay;
  std::vector<std::string> names;
  std::string output;
  bool memoized = false;

  void add_to(Flags& flags) {
    flags.positional("WORKFLOW", names, 0, 1000);
    flags.list("-p,--parameter", options.parameters, "NAME=VALUE", "Override an input parameter; may be repeated");
    flags.number("--priority", options.priority, "N", "Workflow priority");
    flags.flag("--memoized", memoized, "Do not run again what has succeeded: take over its outputs");
    flags.text("-l,--selector", filter.labels, "LABELS", "Workflows with these labels (a=b,c!=d)");
    flags.text("--field-selector", filter.fields, "FIELDS", "Workflows with these fields (metadata.name=x)");
    flags.choice("-o,--output", output, {"name", "json", "yaml", "wide"}, "Output format");
    stay.add_to(flags);
    add_plane_flags(flags, common.session);
    common.add_to(flags);
  }
};

/// Gives it as it was created. A server of Argo's API has a method for what it knows of.
Result<doc::Value> resubmit_one(Session& session, const doc::Value& before, const ResubmitFlags& flags,
                                const PlaneRules& rules) {
  const auto& parameters = flags.options.parameters;
  const bool again = !doc::find_string(before, "metadata", "labels", argo::kResubmittedFromLabel).empty();
  if (!parameters.empty() && (again || flags.memoized)) {
    print_error("Overriding parameters on memoized or resubmitted workflows may have unexpected results\n");
  }
  if (!session.only_argo_api() || flags.options.priority) {
    return resubmit_as_new(session, before, flags.options, flags.memoized, rules);
  }
  const auto made =
      ask_of_workflow(session, "ResubmitWorkflow", workflow_key(before),
                      {{"memoized", flags.memoized}, {"parameters", doc::Array(parameters.begin(), parameters.end())}});
  if (!made) return std::unexpected(made.error().in("failed to resubmit workflow"));
  return made;
}

Result<int> resubmit(ResubmitFlags& flags) {
  if (flags.names.empty() && !flags.filter.chooses()) {
    return fail(Code::kInvalidArgument, "requires either selector or workflow");
  }
  flags.filter.ns = flags.common.chosen_namespace();
  flags.options.ns = flags.filter.ns;
  flags.options.runtime = flags.common.session.runtime;
  Loop loop;
  TIPHYS_TRY(const PlaneRules rules, plane_rules(loop, flags.common.session));
  TIPHYS_TRY(auto session, open_session(loop, flags.common.session, Need::kRun));
  TIPHYS_TRY(const auto workflows, chosen_workflows(*session, flags.filter, flags.names));
  TIPHYS_CHECK_OK(flags.stay.check(workflows.size()));
  const OutputOptions output{.output = flags.output, .selector = {}, .style = flags.common.style()};
  std::vector<cluster::Key> keys;
  for (const auto& before : workflows) {
    const auto created = resubmit_one(*session, *before, flags, rules);
    if (!created) return report_findings(created.error());
    TIPHYS_TRY(const auto text, render_workflow(*created, output, loop.now()));
    print(text);
    keys.push_back(workflow_key(*created));
  }
  if (keys.empty()) return kSucceeded;
  return stay(session, flags.common, flags.stay, !flags.output.empty() && flags.output != "wide", keys);
}

}  // namespace

int resubmit_command(const Arguments& arguments) {
  Flags flags("resubmit", "Resubmit workflows: run them again as new ones",
              "  tiphys resubmit my-wf\n  tiphys resubmit @latest -p message=hi --watch\n  tiphys resubmit my-wf "
              "--memoized\n  tiphys resubmit -l app=train\n");
  ResubmitFlags resubmit_flags;
  resubmit_flags.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("resubmit", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = resubmit(resubmit_flags);
  return code ? *code : report("resubmit", code.error());
}

}  // namespace tiphys::cli

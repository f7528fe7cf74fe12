// tiphys archive retry, tiphys archive resubmit.
#include <fmt/format.h>

#include <set>

#include "cli/commands/archive_flags.h"
#include "cli/commands/resubmission.h"
#include "cli/commands/stay.h"

namespace tiphys::cli {
namespace {

struct AgainFlags : ArchiveFlags {
  StayFlags stay;
  SubmitOptions options;  ///< parameters and priority
  std::string fields, node_selector;
  bool restart_successful = false, memoized = false;

  void add_to(Flags& flags, bool retry) {
    flags.positional("WORKFLOW", names, 0, 1000);
    flags.list("-p,--parameter", options.parameters, "NAME=VALUE", "Override an input parameter; may be repeated");
    if (retry) {
      flags.flag("--restart-successful", restart_successful,
                 "Also run nodes again that have succeeded, those that match --node-field-selector");
      flags.text("--node-field-selector", node_selector, "SELECTOR",
                 "With --restart-successful: these nodes, such as displayName=train");
    } else {
      flags.number("--priority", options.priority, "N", "Workflow priority");
      flags.flag("--memoized", memoized, "Do not run again what has succeeded: take over its outputs");
    }
    flags.text("-l,--selector", labels, "LABELS", "Workflows with these labels (a=b,c!=d)");
    flags.text("--field-selector", fields, "FIELDS", "Workflows with these fields (metadata.name=x)");
    flags.choice("-o,--output", output, {"name", "json", "yaml", "wide"}, "Output format");
    add_identifier(flags);
    stay.add_to(flags);
    add_plane_flags(flags, common.session);
    common.add_to(flags);
  }
  bool chooses() const { return !labels.empty() || !fields.empty(); }
};

struct Chosen {
  std::string ns, uid;
};

/// The workflows of the selectors and of the names, each once.
Result<std::vector<Chosen>> choose(const AgainFlags& flags, ArchiveCalls& archive) {
  std::vector<Chosen> chosen;
  std::set<std::string> seen;
  const auto add = [&](std::string_view ns, std::string_view uid) {
    if (seen.emplace(uid).second) chosen.push_back({std::string(ns), std::string(uid)});
  };
  if (flags.chooses()) {
    TIPHYS_TRY(const auto listed,
               archive.list({.ns = flags.common.chosen_namespace(), .labels = flags.labels, .fields = flags.fields}));
    for (const auto& workflow : listed) {
      add(doc::find_string(*workflow, "metadata", "namespace"), doc::find_string(*workflow, "metadata", "uid"));
    }
  }
  for (const std::string& name : flags.names) {
    TIPHYS_TRY(const std::string uid, flags.find(archive, name));
    add(flags.common.chosen_namespace(), uid);
  }
  return chosen;
}

/// Gives the workflow that runs.
Result<doc::Value> run_one(Session& session, const Chosen& chosen, const AgainFlags& flags, bool retry,
                           const PlaneRules& rules) {
  ArchiveCalls archive(session);
  const auto& parameters = flags.options.parameters;
  if (flags.options.priority) {
    TIPHYS_TRY(const doc::Value before, archive.ask("GetArchivedWorkflow", {{"uid", chosen.uid}}));
    return resubmit_as_new(session, before, flags.options, flags.memoized, rules);
  }
  doc::Object request{
      {"namespace", chosen.ns}, {"uid", chosen.uid}, {"parameters", doc::Array(parameters.begin(), parameters.end())}};
  if (!retry) {
    request["memoized"] = flags.memoized;
    return archive.ask("ResubmitArchivedWorkflow", std::move(request));
  }
  request["restartSuccessful"] = flags.restart_successful;
  request["nodeFieldSelector"] = flags.node_selector;
  return archive.ask("RetryArchivedWorkflow", std::move(request));
}

Result<int> run_again(AgainFlags& flags, bool retry) {
  TIPHYS_CHECK_OK(flags.check());
  if (flags.names.empty() && !flags.chooses()) {
    return fail(Code::kInvalidArgument, "requires either selector or workflow");
  }
  flags.options.ns = flags.common.chosen_namespace();
  Loop loop;
  PlaneRules rules;
  if (flags.options.priority) {
    TIPHYS_TRY(rules, plane_rules(loop, flags.common.session));
  }
  TIPHYS_TRY(auto session, open_session(loop, flags.common.session, Need::kRun));
  ArchiveCalls archive(*session);
  TIPHYS_TRY(const auto chosen, choose(flags, archive));
  TIPHYS_CHECK_OK(flags.stay.check(chosen.size()));
  std::vector<cluster::Key> keys;
  for (const Chosen& each : chosen) {
    TIPHYS_TRY(const doc::Value workflow, run_one(*session, each, flags, retry, rules));
    print_archived(workflow, flags.output, loop.now());
    keys.push_back(workflow_key(workflow));
  }
  if (keys.empty()) return kSucceeded;
  return stay(session, flags.common, flags.stay, !flags.output.empty() && flags.output != "wide", keys);
}

int again(const Arguments& arguments, bool retry) {
  const std::string name = retry ? "archive retry" : "archive resubmit";
  Flags flags(name, retry ? "Retry workflows in the archive" : "Resubmit workflows in the archive",
              fmt::format("  tiphys {0} my-wf\n  tiphys {0} UID --watch\n  tiphys {0} -l app=train\n", name));
  AgainFlags into;
  into.add_to(flags, retry);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report(name, parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = run_again(into, retry);
  return code ? *code : report(name, code.error());
}

}  // namespace

int archive_retry_command(const Arguments& arguments) {
  return again(arguments, true);
}

int archive_resubmit_command(const Arguments& arguments) {
  return again(arguments, false);
}

}  // namespace tiphys::cli

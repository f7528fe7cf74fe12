// tiphys suspend, resume, stop, terminate, node set.
#include <fmt/format.h>

#include <set>

#include "cli/commands/common.h"
#include "cli/commands/follow_command.h"
#include "cli/commands/output_parameters.h"
#include "cli/terminal.h"
#include "cli/view/run_state.h"

namespace tiphys::cli {
namespace {

/// The workflows that arguments and selectors name, each once.
Result<std::vector<cluster::Key>> those_to_stop(Session& session, const WorkflowFilter& filter,
                                                const std::vector<std::string>& names) {
  TIPHYS_TRY(auto keys, find_workflows(session, filter.ns, names));
  if (filter.chooses()) {
    TIPHYS_TRY(const auto listed, list_workflows(session, filter));
    for (const auto& workflow : listed) {
      // A selector means those that still can be stopped.
      if (has_ended(*workflow)) continue;
      keys.push_back(workflow_key(*workflow));
    }
  }
  std::set<cluster::Key> seen;
  std::erase_if(keys, [&](const cluster::Key& key) { return !seen.insert(key).second; });
  return keys;
}

struct ShutdownFlags {
  CommonFlags common;
  std::vector<std::string> names;
  std::string message, node_selector;
  WorkflowFilter filter;
  bool dry_run = false;

  void add_to(Flags& flags, bool stop) {
    flags.positional("WORKFLOW", names, 0, 1000);
    if (stop) {
      flags.text("--message", message, "TEXT", "Message for the nodes that are stopped; with --node-field-selector");
      flags.text("--node-field-selector", node_selector, "SELECTOR", "Stop only these suspended nodes");
    }
    flags.text("-l,--selector", filter.labels, "LABELS", "Workflows with these labels (a=b,c!=d)");
    flags.text("--field-selector", filter.fields, "FIELDS", "Workflows with these fields (metadata.name=x)");
    flags.flag("--dry-run", dry_run, "Only print what would be done");
    common.add_to(flags);
  }
};

/// `method` is StopWorkflow or TerminateWorkflow, `done` the word for it in the output.
Status shut_down_all(ShutdownFlags& flags, const std::string& method, std::string_view done) {
  if (flags.names.empty() && !flags.filter.chooses())
    return fail(Code::kInvalidArgument, "requires either selector or workflow");
  TIPHYS_TRY(const NodeSelector selector, NodeSelector::parse(flags.node_selector, ""));
  doc::Object request;
  if (!selector.empty()) request = {{"nodeFieldSelector", flags.node_selector}, {"message", flags.message}};
  flags.filter.ns = flags.common.chosen_namespace();
  Loop loop;
  TIPHYS_TRY(auto session, open_session(loop, flags.common.session, Need::kRun));
  TIPHYS_TRY(const auto keys, those_to_stop(*session, flags.filter, flags.names));
  for (const auto& key : keys) {
    if (flags.dry_run) {
      print(fmt::format("workflow {} {} (dry-run)\n", key.name, done));
      continue;
    }
    TIPHYS_TRY([[maybe_unused]] const auto asked, ask_of_workflow(*session, method, key, request));
    print(fmt::format("workflow {} {}\n", key.name, done));
  }
  if (flags.dry_run || session->remote() || !selector.empty()) return {};
  // No other process works on this plane: this one sees it through.
  TIPHYS_TRY([[maybe_unused]] const int code, wait_for(session, flags.common.session, keys, true));
  return {};
}

int shutdown_command(const Arguments& arguments, const std::string& command, const std::string& summary,
                     const std::string& method, std::string_view done) {
  Flags flags(command, summary,
              fmt::format("  tiphys {0} my-wf\n  tiphys {0} @latest\n  tiphys {0} -l app=train\n", command));
  ShutdownFlags shutdown_flags;
  shutdown_flags.add_to(flags, method == "StopWorkflow");
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report(command, parsed.error());
  if (!*parsed) return kSucceeded;
  const Status status = shut_down_all(shutdown_flags, method, done);
  return status ? kSucceeded : report(command, status.error());
}

}  // namespace

int suspend_command(const Arguments& arguments) {
  Flags flags("suspend", "Suspend workflows: no new steps start (opposite of resume)",
              "  tiphys suspend my-wf\n  tiphys suspend @latest\n");
  CommonFlags common;
  std::vector<std::string> names;
  flags.positional("WORKFLOW", names, 0, 1000);
  common.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("suspend", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status status = [&]() -> Status {
    Loop loop;
    TIPHYS_TRY(const auto session, open_session(loop, common.session, Need::kRun));
    TIPHYS_TRY(const auto keys, find_workflows(*session, common.chosen_namespace(), names));
    for (const auto& key : keys) {
      const auto suspended = ask_of_workflow(*session, "SuspendWorkflow", key);
      if (!suspended) return std::unexpected(suspended.error().in("failed to suspend " + key.name));
      print(fmt::format("workflow {} suspended\n", key.name));
    }
    return {};
  }();
  return status ? kSucceeded : report("suspend", status.error());
}

int resume_command(const Arguments& arguments) {
  Flags flags("resume", "Resume workflows (opposite of suspend)",
              "  tiphys resume my-wf\n  tiphys resume @latest\n  tiphys resume my-wf --node-field-selector "
              "inputs.parameters.myparam.value=abc\n");
  CommonFlags common;
  std::vector<std::string> names;
  std::string node_selector;
  flags.positional("WORKFLOW", names, 0, 1000);
  flags.text("--node-field-selector", node_selector, "SELECTOR", "Resume only these suspended nodes");
  common.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("resume", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status status = [&]() -> Status {
    if (names.empty() && node_selector.empty())
      return fail(Code::kInvalidArgument, "requires either node field selector or workflow");
    TIPHYS_TRY([[maybe_unused]] const NodeSelector selector, NodeSelector::parse(node_selector, ""));
    doc::Object request;
    if (!node_selector.empty()) request = {{"nodeFieldSelector", node_selector}};
    Loop loop;
    TIPHYS_TRY(const auto session, open_session(loop, common.session, Need::kRun));
    TIPHYS_TRY(const auto keys, find_workflows(*session, common.chosen_namespace(), names));
    for (const auto& key : keys) {
      const auto resumed = ask_of_workflow(*session, "ResumeWorkflow", key, request);
      if (!resumed) return std::unexpected(resumed.error().in("failed to resume " + key.name));
      print(fmt::format("workflow {} resumed\n", key.name));
    }
    return {};
  }();
  return status ? kSucceeded : report("resume", status.error());
}

int stop_command(const Arguments& arguments) {
  return shutdown_command(arguments, "stop", "Stop workflows but still run their exit handlers", "StopWorkflow",
                          "stopped");
}

int terminate_command(const Arguments& arguments) {
  return shutdown_command(arguments, "terminate", "Stop workflows immediately, without exit handlers",
                          "TerminateWorkflow", "terminated");
}

int node_command(const Arguments& arguments) {
  Flags flags(
      "node", "Perform an action on a node of a workflow",
      "  tiphys node set my-wf --output-parameter name=\"Hello, world!\" --node-field-selector displayName=approve\n");
  CommonFlags common;
  std::vector<std::string> names, parameters;
  std::string node_selector, phase, message;
  flags.positional("set WORKFLOW", names, 2, 2);
  flags.text("--node-field-selector", node_selector, "SELECTOR", "Which suspended nodes");
  flags.text("--phase", phase, "PHASE", "Set their phase");
  flags.list("-p,--output-parameter", parameters, "NAME=VALUE", "Set a supplied output parameter; may be repeated");
  flags.text("-m,--message", message, "TEXT", "Set their message");
  common.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("node", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status status = [&]() -> Status {
    if (names[0] != "set") return fail(Code::kInvalidArgument, fmt::format("unknown action '{}'", names[0]));
    if (node_selector.empty()) {
      return fail(Code::kInvalidArgument,
                  "'set' currently only targets suspend nodes, use a node field selector to target them");
    }
    TIPHYS_TRY([[maybe_unused]] const NodeSelector selector, NodeSelector::parse(node_selector, ""));
    TIPHYS_TRY(const doc::Object outputs, parse_output_parameters(parameters));
    doc::Object request{{"nodeFieldSelector", node_selector}, {"message", message}, {"phase", phase}};
    if (!outputs.empty()) request["outputParameters"] = doc::to_json(doc::Value(outputs));
    Loop loop;
    TIPHYS_TRY(const auto session, open_session(loop, common.session, Need::kRun));
    TIPHYS_TRY(const auto key, find_workflow(*session, common.chosen_namespace(), names[1]));
    TIPHYS_TRY([[maybe_unused]] const auto set, ask_of_workflow(*session, "SetWorkflow", key, std::move(request)));
    print("workflow values set\n");
    return {};
  }();
  return status ? kSucceeded : report("node", status.error());
}

}  // namespace tiphys::cli

#include "cli/cli.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "base/strings.h"
#include "cli/commands/command.h"
#include "cli/log_flags.h"
#include "cli/place.h"
#include "cli/terminal.h"

namespace tiphys::cli {
namespace {

constexpr std::array kCommands{
    Command{"run", "Run workflows here and now, and follow them to their end", run_command, true},
    Command{"up", "Run the plane as a server on this machine", up_command, true},
    Command{"env", "Print what makes a shell's Kubernetes clients use the plane", env_command},
    Command{"controller", "Run the workflows of a Kubernetes cluster", controller_command, true},
    Command{"submit", "Submit workflows", submit_command},
    Command{"resubmit", "Run workflows again as new ones", resubmit_command},
    Command{"retry", "Retry workflows: failed ones go on where they failed", retry_command},
    Command{"list", "List workflows", list_command},
    Command{"get", "Display details about a workflow", get_command},
    Command{"logs", "View the logs of a workflow or one of its pods", logs_command},
    Command{"cp", "Copy artifacts of a workflow", cp_command},
    Command{"watch", "Watch a workflow until it completes", watch_command},
    Command{"wait", "Wait for workflows to complete", wait_command},
    Command{"suspend", "Suspend workflows", suspend_command},
    Command{"resume", "Resume workflows", resume_command},
    Command{"stop", "Stop workflows but still run their exit handlers", stop_command},
    Command{"terminate", "Stop workflows immediately, without exit handlers", terminate_command},
    Command{"node", "Perform an action on a node of a workflow", node_command},
    Command{"delete", "Delete workflows", delete_command},
    Command{"template", "Manipulate workflow templates", template_command},
    Command{"cluster-template", "Manipulate cluster workflow templates", cluster_template_command},
    Command{"cron", "Manage cron workflows", cron_command},
    Command{"archive", "Manage the workflow archive", archive_command},
    Command{"sync", "Manage limits of semaphores", sync_command},
    Command{"lint", "Validate files or directories of manifests", lint_command},
    Command{"test", "Run tests of workflows, without pods and in virtual time", test_command},
    Command{"simulate", "Show when the steps of a workflow would run", simulate_command},
    Command{"convert", "Print manifests of earlier versions in today's form", convert_command},
    Command{"explain", "Describe a field of a manifest", explain_command},
    Command{"schema", "Print the JSON schema of manifests, for editors", schema_command},
    Command{"eval", "Evaluate an expression or a template of a manifest by hand", eval_command},
    Command{"auth", "Print what clients prove themselves with", auth_command},
    Command{"debug", "Collect what tells how the plane is, for a report", debug_command},
    Command{"executor-plugin", "Build the ConfigMap of an executor plugin", executor_plugin_command},
    Command{"version", "Print version information", version_command},
    Command{"completion", "Output shell completion code", completion_command},
};

std::string help_text() {
  std::string text = "tiphys runs Argo Workflows on this machine.\n\nUsage:\n  tiphys COMMAND [flags]\n\nCommands:\n";
  for (const auto& command : kCommands) text += fmt::format("  {:<18}{}\n", command.name, command.summary);
  return text + "\n`tiphys COMMAND --help` tells more; -v (--loglevel, --log-format json) tells what goes on inside.\n";
}

/// Global flags may stand before the command, as argo allows: they move behind it.
void put_command_first(Arguments& arguments) {
  const auto with_value = place_flags_with_value();
  std::size_t at = 0;
  while (at < arguments.size() && arguments[at].size() > 1 && arguments[at].front() == '-') {
    at += std::ranges::find(with_value, arguments[at]) != with_value.end() ? 2 : 1;
  }
  if (at == 0 || at >= arguments.size()) return;
  std::rotate(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(at),
              arguments.begin() + static_cast<std::ptrdiff_t>(at) + 1);
}

int dispatch(Arguments arguments) {
  if (arguments.size() > 1 && arguments.front() == "__complete") {
    Arguments before(arguments.begin() + 1, arguments.end() - 1);
    put_command_first(before);
    return complete_command(before, arguments.back());
  }
  if (const Status taken = take_log_flags(arguments); !taken) {
    print_error(fmt::format("tiphys: {}\n", taken.error().message));
    return kBadUsage;
  }
  put_command_first(arguments);
  if (arguments.size() > 1 && arguments.front() == "help") arguments = {arguments[1], "--help"};
  if (arguments.empty() || arguments.front() == "help" || arguments.front() == "-h" || arguments.front() == "--help") {
    print(help_text());
    return kSucceeded;
  }
  std::string name = arguments.front();
  if (name == "--version") name = "version";
  if (name == "server") name = "up";  // as argo calls it
  if (name == "cwftmpl" || name == "cwft") name = "cluster-template";
  for (const auto& command : kCommands) {
    if (command.name != name) continue;
    if (command.outlives_reader) std::signal(SIGPIPE, SIG_IGN);
    return command.run({arguments.begin() + 1, arguments.end()});
  }
  std::vector<std::string> known;
  for (const auto& command : kCommands) known.emplace_back(command.name);
  print_error(fmt::format("tiphys: unknown command \"{}\"{}\nRun 'tiphys --help' for usage.\n", name,
                          did_you_mean(name, known)));
  return kBadUsage;
}

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

int main(int argc, char** argv) {
  hold_standard_streams();
  const int code = dispatch({argv + std::min(argc, 1), argv + argc});
  const Status written = output_status();
  if (written) return code;
  print_error(fmt::format("tiphys: {}\n", written.error().message));
  return code == kSucceeded ? kFailed : code;
}

}  // namespace tiphys::cli

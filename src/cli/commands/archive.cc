// tiphys archive: list, get, delete, list-label-keys, list-label-values; archive_again.cc has retry and resubmit.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/commands/archive_flags.h"
#include "cli/commands/output.h"
#include "cli/terminal.h"
#include "cli/view/humanize.h"
#include "cli/view/workflow_text.h"
#include "doc/yaml.h"

namespace tiphys::cli {
namespace {

std::string facts(const doc::Value& workflow, Time now) {
  std::string text;
  const auto line = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{:<20} {}\n", fmt::format("{}:", name), printable(value));
  };
  const std::string_view account = doc::find_string(running_spec(workflow), "serviceAccountName");
  line("Name", doc::find_string(workflow, "metadata", "name"));
  line("Namespace", doc::find_string(workflow, "metadata", "namespace"));
  line("ServiceAccount", account.empty() ? "unset (will run with the default ServiceAccount)" : account);
  line("Status", doc::find_string(workflow, "status", "phase"));
  if (const auto message = doc::find_string(workflow, "status", "message"); !message.empty()) line("Message", message);
  line("Created", timestamp_with_age(time_at(workflow, "metadata", "creationTimestamp"), now));
  const Time started = time_at(workflow, "status", "startedAt"), finished = time_at(workflow, "status", "finishedAt");
  if (started != Time{}) line("Started", timestamp_with_age(started, now));
  if (finished != Time{}) line("Finished", timestamp_with_age(finished, now));
  if (started != Time{}) line("Duration", long_duration(started, finished, now));
  return text;
}

Result<int> list(ArchiveFlags& flags, Session& session) {
  TIPHYS_TRY(const auto workflows, ArchiveCalls(session).list({.ns = flags.common.chosen_namespace(),
                                                               .labels = flags.labels,
                                                               .chunk_size = flags.chunk_size.value_or(0)}));
  print_workflows(workflows, flags.output, {.wide = true, .with_namespace = true, .with_uid = true},
                  session.loop().now());
  return kSucceeded;
}

Result<int> get(ArchiveFlags& flags, Session& session) {
  ArchiveCalls archive(session);
  TIPHYS_TRY(const std::string uid, flags.find(archive, flags.names.front()));
  TIPHYS_TRY(const doc::Value workflow, archive.ask("GetArchivedWorkflow", {{"uid", uid}}));
  print_archived(workflow, flags.output, session.loop().now());
  return kSucceeded;
}

Result<int> remove(ArchiveFlags& flags, Session& session) {
  ArchiveCalls archive(session);
  for (const std::string& name : flags.names) {
    TIPHYS_TRY(const std::string uid, flags.find(archive, name));
    TIPHYS_TRY([[maybe_unused]] const auto answer, archive.ask("DeleteArchivedWorkflow", {{"uid", uid}}));
    print(fmt::format("Archived workflow '{}' deleted\n", name));
  }
  return kSucceeded;
}

Result<int> print_items(const Result<doc::Value>& answer) {
  if (!answer) return std::unexpected(answer.error());
  const doc::Value* items = doc::find(*answer, "items");
  if (!items || !items->is_array()) return kSucceeded;
  for (const doc::Value& item : items->get_array()) print(fmt::format("{}\n", printable(doc::scalar_text(item))));
  return kSucceeded;
}

Result<int> list_keys(ArchiveFlags&, Session& session) {
  return print_items(ArchiveCalls(session).ask("ListArchivedWorkflowLabelKeys", {}));
}

Result<int> list_values(ArchiveFlags& flags, Session& session) {
  if (flags.labels.empty()) return fail(Code::kInvalidArgument, "required flag(s) \"selector\" not set");
  return print_items(ArchiveCalls(session).ask("ListArchivedWorkflowLabelValues",
                                               {{"listOptions", doc::Object{{"labelSelector", flags.labels}}}}));
}

using Action = Result<int> (*)(ArchiveFlags& flags, Session& session);

struct ArchiveCommand {
  std::string_view name, summary, examples;
  void (*add_flags)(Flags& flags, ArchiveFlags& into);
  Action run;
};

constexpr ArchiveCommand kCommands[] = {
    {"delete", "Delete workflows in the archive", "  tiphys archive delete my-wf\n  tiphys archive delete UID --uid\n",
     [](Flags& flags, ArchiveFlags& into) {
       flags.positional("WORKFLOW", into.names, 1, 1000);
       into.add_identifier(flags);
     },
     remove},
    {"get", "Get a workflow in the archive", "  tiphys archive get my-wf\n  tiphys archive get my-wf -o yaml\n",
     [](Flags& flags, ArchiveFlags& into) {
       flags.positional("WORKFLOW", into.names, 1, 1);
       flags.choice("-o,--output", into.output, {"json", "yaml", "wide"}, "Output format");
       into.add_identifier(flags);
     },
     get},
    {"list", "List workflows in the archive", "  tiphys archive list\n  tiphys archive list -l app=train -o yaml\n",
     [](Flags& flags, ArchiveFlags& into) {
       flags.positional("", into.names, 0, 0);
       flags.choice("-o,--output", into.output, {"name", "json", "yaml", "wide"}, "Output format");
       flags.text("-l,--selector", into.labels, "LABELS", "Only workflows with these labels (a=b,c!=d)");
       flags.number("--chunk-size", into.chunk_size, "N", "Ask for long lists in parts of this size");
     },
     list},
    {"list-label-keys", "List the keys of labels in the archive", "  tiphys archive list-label-keys\n",
     [](Flags& flags, ArchiveFlags& into) { flags.positional("", into.names, 0, 0); }, list_keys},
    {"list-label-values", "List the values of a label in the archive", "  tiphys archive list-label-values -l app\n",
     [](Flags& flags, ArchiveFlags& into) {
       flags.positional("", into.names, 0, 0);
       flags.text("-l,--selector", into.labels, "KEY", "The label");
     },
     list_values},
};

std::vector<std::string> actions() {
  std::vector<std::string> names;
  for (const ArchiveCommand& command : kCommands) names.emplace_back(command.name);
  names.insert(names.end(), {"resubmit", "retry"});
  return names;
}

int run(const ArchiveCommand& command, const Arguments& arguments) {
  const std::string name = fmt::format("archive {}", command.name);
  ArchiveFlags into;
  Flags flags(name, std::string(command.summary), std::string(command.examples));
  command.add_flags(flags, into);
  into.common.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report(name, parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = [&]() -> Result<int> {
    TIPHYS_CHECK_OK(into.check());
    Loop loop;
    TIPHYS_TRY(const auto session, open_session(loop, into.common.session, Need::kRead));
    return command.run(into, *session);
  }();
  return code ? *code : report(name, code.error());
}

}  // namespace

void print_archived(const doc::Value& workflow, const std::string& output, Time now) {
  if (output == "json") return print(doc::to_json(workflow) + "\n");
  if (output == "yaml") return print(doc::to_yaml(workflow) + "\n");
  print(facts(workflow, now));
}

int archive_command(const Arguments& arguments) {
  const std::string action = arguments.empty() ? "--help" : arguments.front();
  const std::string usage = fmt::format("Usage:\n  tiphys archive {} [flags]\n", join(actions(), "|"));
  if (action == "--list-flags" || action == "--list-values") return kSucceeded;
  if (action == "--help" || action == "-h") {
    print(usage);
    return kSucceeded;
  }
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (action == "retry") return archive_retry_command(rest);
  if (action == "resubmit") return archive_resubmit_command(rest);
  const auto* found = std::ranges::find(kCommands, action, &ArchiveCommand::name);
  if (found != std::end(kCommands)) return run(*found, rest);
  print_error(
      fmt::format("tiphys archive: unknown command \"{}\"{}\n{}", action, did_you_mean(action, actions()), usage));
  return kBadUsage;
}

}  // namespace tiphys::cli

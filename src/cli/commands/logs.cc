// tiphys logs.
#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/commands/print_logs.h"

namespace tiphys::cli {
namespace {

struct LogsFlags {
  CommonFlags common;
  std::vector<std::string> names;
  argo::PodLogRequest request;
  std::string since, since_time;
  std::optional<std::int64_t> tail;

  void add_to(Flags& flags) {
    flags.positional("WORKFLOW [POD]", names, 1, 2);
    flags.text("-c,--container", request.options.container, "NAME", "Print the logs of this container (default main)");
    flags.flag("-f,--follow", request.options.follow, "Go on printing until the workflow has ended");
    flags.flag("-p,--previous", request.options.previous, "Print the logs of the container's previous run");
    flags.text("--since", since, "DURATION", "Only lines newer than a duration like 5s, 2m or 3h");
    flags.text("--since-time", since_time, "TIME", "Only lines after a time (RFC 3339)");
    flags.number("--tail", tail, "N", "Only the last N lines of each pod");
    flags.text("--grep", request.grep, "REGEX", "Only lines that match");
    flags.text("-l,--selector", request.selector, "LABELS", "Only pods with these labels");
    flags.flag("--timestamps", request.options.timestamps, "Begin each line with its time");
    common.add_to(flags);
  }
};

Status logs(LogsFlags& flags) {
  Loop loop;
  cluster::LogOptions& options = flags.request.options;
  if (!flags.since.empty() && !flags.since_time.empty()) {
    return fail(Code::kInvalidArgument, "--since-time and --since cannot be used together");
  }
  if (!flags.since.empty()) {
    TIPHYS_TRY(const Duration age, parse_go_duration(flags.since));
    options.since = loop.now() - age;
  }
  if (!flags.since_time.empty()) {
    TIPHYS_TRY(options.since, parse_rfc3339(flags.since_time));
  }
  if (flags.tail) options.tail = *flags.tail;
  if (flags.names.size() > 1) flags.request.pod = flags.names[1];
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, options.follow ? Need::kRun : Need::kRead));
  TIPHYS_TRY(flags.request.workflow, find_workflow(*session, flags.common.chosen_namespace(), flags.names[0]));
  return print_logs(*session, flags.request, flags.common.style());
}

}  // namespace

int logs_command(const Arguments& arguments) {
  Flags flags(
      "logs", "View the logs of a workflow or one of its pods",
      "  tiphys logs my-wf\n  tiphys logs my-wf my-pod -c my-container\n  tiphys logs @latest --follow --grep error\n");
  LogsFlags logs_flags;
  logs_flags.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("logs", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status status = logs(logs_flags);
  return status ? kSucceeded : report("logs", status.error());
}

}  // namespace tiphys::cli

#include "cli/commands/cron_backfill.h"

#include <fmt/format.h>

#include "base/random.h"
#include "cli/backfill.h"
#include "cli/commands/common.h"
#include "cli/manifest.h"
#include "cli/terminal.h"
#include "doc/yaml.h"
#include "expr/go_layout.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kRfc1123 = "Mon, 02 Jan 2006 15:04:05 MST";
constexpr std::int64_t kMostRuns = 1000;

struct BackfillFlags {
  CommonFlags common;
  std::vector<std::string> names;
  std::string name, start, end, argument = "cronScheduleTime", format = std::string(kRfc1123);
  std::optional<std::int64_t> most;
  bool parallel = false;

  void add_to(Flags& flags) {
    flags.positional("CRON_WORKFLOW", names, 1, 1);
    flags.text("--name", name, "NAME", "Backfill name (default: a random one)");
    flags.text("--start", start, "DATE", "Start date");
    flags.text("--end", end, "DATE", "End date (default: now)");
    flags.flag("--parallel", parallel, "Run all workflows at the same time, not one after the other");
    flags.text("--argname", argument, "NAME", "The parameter that gets the scheduled time (default: cronScheduleTime)");
    flags.text("--format", format, "LAYOUT",
               "How --start and --end are written, as a Go layout (default: Mon, 02 Jan 2006 15:04:05 MST)");
    flags.number("--maxworkflowcount", most, "N",
                 "Maximum number of workflows that one backfill workflow creates (default: 1000)");
    add_config_flag(flags, common.session);
    common.add_to(flags);
  }
};

struct Period {
  expr::GoTime start, end;
};

Result<Period> read_period(BackfillFlags& flags, Time now) {
  if (flags.start.empty()) return fail(Code::kInvalidArgument, "start date should not be empty: give --start");
  Period period;
  TIPHYS_TRY(period.start, expr::parse_time(flags.format, flags.start, {}));
  if (!flags.end.empty()) {
    TIPHYS_TRY(period.end, expr::parse_time(flags.format, flags.end, {}));
    return period;
  }
  period.end = expr::from_time(now);
  period.end.zone = expr::host_zone();
  flags.end = expr::format_time(period.end, kRfc1123);
  return period;
}

std::string output(const BackfillFlags& flags, const BackfillOptions& options, std::size_t runs,
                   const std::vector<std::string>& workflows) {
  constexpr std::string_view kLine = "==================================================\n";
  std::string text =
      fmt::format("Created {} Backfill task for Cronworkflow {} \n{}", options.name, flags.names[0], kLine);
  text += fmt::format("Backfill Period :\nStart Time : {} \n  End Time : {} \nTotal Backfill Schedule: {} \n{}",
                      flags.start, flags.end, runs, kLine);
  text += "Backfill Workflows: \n   NAMESPACE\t WORKFLOW: \n";
  for (std::size_t i = 0; i < workflows.size(); ++i) {
    text += fmt::format("{}. {} \t {} \n", i + 1, flags.common.chosen_namespace(), workflows[i]);
  }
  return text;
}

Result<int> backfill(BackfillFlags& flags) {
  if (flags.most && *flags.most < 1) return fail(Code::kInvalidArgument, "--maxworkflowcount must be 1 or more");
  Loop loop;
  TIPHYS_TRY(const Period period, read_period(flags, loop.now()));
  SystemRandom random;
  const BackfillOptions options{.name = flags.name.empty() ? make_name_suffix(random) : flags.name,
                                .argument = flags.argument,
                                .parallel = flags.parallel,
                                .most = static_cast<std::size_t>(flags.most.value_or(kMostRuns))};
  TIPHYS_TRY(const PlaneRules rules, plane_rules(loop, flags.common.session));
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, Need::kRead));
  TIPHYS_TRY(const cluster::Object cron,
             get_object(*session, {&cluster::kCronWorkflows, flags.common.chosen_namespace(), flags.names[0]}));
  TIPHYS_TRY(const auto times, backfill_times(*cron, period.start, period.end));
  if (times.empty()) {
    print("There is no suitable scheduling time.\n");
    return kSucceeded;
  }
  std::vector<doc::Value> workflows = backfill_workflows(*cron, times, options, format_rfc3339(loop.now()));
  std::string notes;
  for (const doc::Value& workflow : workflows) TIPHYS_CHECK_OK(check_manifest({workflow, doc::Marks()}, notes, rules));
  std::vector<std::string> names;
  for (doc::Value& workflow : workflows) {
    TIPHYS_TRY(const cluster::Object created, await<cluster::Object>(loop, [&](auto done) {
                 session->cluster().create(cluster::kWorkflows, std::move(workflow), std::move(done));
               }));
    names.emplace_back(doc::find_string(*created, "metadata", "name"));
  }
  print(output(flags, options, times.size(), names));
  if (!session->remote()) print_error("No `tiphys up` works on this plane: the workflows go on when one does.\n");
  return kSucceeded;
}

}  // namespace

int cron_backfill_command(const Arguments& arguments) {
  Flags flags("cron backfill", "create the runs that a cron workflow would have had",
              "  tiphys cron backfill nightly --start 'Mon, 02 Nov 2026 00:00:00 GMT'\n  tiphys cron backfill nightly "
              "--format 2006-01-02 --start 2026-11-02 --end 2026-11-09 --argname day\n");
  BackfillFlags backfill_flags;
  backfill_flags.add_to(flags);
  const auto parsed = flags.parse(arguments.empty() ? Arguments{"--help"} : arguments);
  if (!parsed) return report("cron backfill", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = backfill(backfill_flags);
  return code ? *code : report("cron backfill", code.error());
}

}  // namespace tiphys::cli

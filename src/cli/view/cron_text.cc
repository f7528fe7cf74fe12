#include "cli/view/cron_text.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/view/humanize.h"
#include "cli/view/tab_writer.h"
#include "controllers/cron_plan.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kPolicies[] = {"Allow", "Forbid", "Replace"};

/// Whatever is wrong with it, as much as can be read.
api::CronWorkflow read(const doc::Value& document) {
  std::vector<api::Finding> findings;
  api::CronWorkflow cron = api::parse_cron_workflow(document, findings);
  cron.status = api::read_cron_workflow_status(document);
  return cron;
}

std::optional<Time> next_run(const api::CronWorkflow& cron, const expr::GoZone& local, Time now) {
  const auto plan = controllers::CronPlan::of(cron, local);
  return plan ? plan->next(now, controllers::interval_base(cron, now)) : std::nullopt;
}

std::string line(std::string_view name, std::string_view value) {
  return fmt::format("{:<30} {}\n", name, value);
}

std::string conditions_text(const api::CronWorkflowStatus& status, const Style& style) {
  if (status.conditions.empty()) return "";
  std::string text = line("Conditions:", "");
  for (const auto& condition : status.conditions) {
    const bool failed = condition.type == api::kSubmissionError;
    const std::string name = fmt::format("{} {}", !failed ? "" : style.utf8 ? "✖" : "X", condition.type);
    text += line(name, printable(condition.message.empty() ? condition.status : condition.message));
  }
  return text;
}

std::string parameters_text(const std::vector<api::Parameter>& parameters) {
  if (parameters.empty()) return "";
  std::string text = line("Workflow Parameters:", "");
  for (const api::Parameter& parameter : parameters) {
    if (parameter.value) text += line(fmt::format("  {}:", parameter.name), printable(*parameter.value));
  }
  return text;
}

}  // namespace

std::string cron_workflow_text(const doc::Value& cron_workflow, const expr::GoZone& local, const Style& style,
                               Time now) {
  const api::CronWorkflow cron = read(cron_workflow);
  std::string text =
      line("Name:", cron.name) + line("Namespace:", cron.ns) + line("Created:", timestamp_with_age(cron.created, now)) +
      line("Schedules:", printable(cron.schedules_text(false))) + line("Suspended:", cron.suspend ? "true" : "false");
  if (!cron.timezone.empty()) text += line("Timezone:", printable(cron.timezone));
  if (cron.starting_deadline_seconds) {
    text += line("StartingDeadlineSeconds:", fmt::to_string(*cron.starting_deadline_seconds));
  }
  if (!doc::find_string(cron_workflow, "spec", "concurrencyPolicy").empty()) {
    text += line("ConcurrencyPolicy:", kPolicies[static_cast<std::size_t>(cron.concurrency)]);
  }
  if (cron.status.last_scheduled != Time{}) {
    text += line("LastScheduledTime:", timestamp_with_age(cron.status.last_scheduled, now));
  }
  if (const auto next = next_run(cron, local, now)) text += line("NextScheduledTime:", timestamp_with_age(*next, now));
  std::vector<std::string> active;
  for (const doc::Value& reference : cron.status.active) active.emplace_back(doc::find_string(reference, "name"));
  if (!active.empty()) text += line("Active Workflows:", join(active, ", "));
  return text + conditions_text(cron.status, style) + parameters_text(cron.workflow.spec.arguments.parameters);
}

std::string cron_workflow_table(std::span<const cluster::Object> cron_workflows, bool with_namespace,
                                const expr::GoZone& local, Time now) {
  std::string text = with_namespace ? "NAMESPACE\t" : "";
  text += "NAME\tAGE\tLAST RUN\tNEXT RUN\tSCHEDULES\tTIMEZONE\tSUSPENDED\n";
  for (const cluster::Object& object : cron_workflows) {
    const api::CronWorkflow cron = read(*object);
    const Time last = cron.status.last_scheduled;
    const auto next = next_run(cron, local, now);
    if (with_namespace) text += cron.ns + "\t";
    text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", cron.name, short_duration(cron.created, now, now),
                        last == Time{} ? "N/A" : short_duration(last, now, now),
                        next ? short_duration(*next, now, now) : "N/A", printable(cron.schedules_text(false)),
                        printable(cron.timezone), cron.suspend);
  }
  return align_columns(text, 3);
}

}  // namespace tiphys::cli

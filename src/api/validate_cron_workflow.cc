#include <fmt/format.h>

#include <algorithm>

#include "api/cron_workflow.h"
#include "api/validator.h"
#include "api/variables.h"
#include "base/strings.h"
#include "expr/condition.h"
#include "expr/cron_schedule.h"
#include "expr/expression.h"
#include "expr/text_template.h"

namespace tiphys::api {
namespace {

/// The name of a workflow has a time behind it: "-1615836720".
constexpr std::size_t kLongestName = 52;
constexpr std::string_view kVariables[] = {
    "cronworkflow.name",        "cronworkflow.namespace",   "cronworkflow.labels",
    "cronworkflow.labels.json", "cronworkflow.annotations", "cronworkflow.annotations.json",
    "cronworkflow.failed",      "cronworkflow.succeeded",   "cronworkflow.lastScheduledTime"};

class CronValidator {
 public:
  CronValidator(const CronWorkflow& cron, std::vector<Finding>& findings) : cron_(cron), findings_(findings) {}

  void run() {
    check_name();
    check_schedules();
    check_limits();
    check_stop_strategy();
    check_when();
    std::vector<Finding> of_workflow;
    validate_workflow(cron_.workflow, of_workflow);
    std::ranges::move(place_in_cron_workflow(std::move(of_workflow)), std::back_inserter(findings_));
  }

 private:
  void error(std::string pointer, std::string message, bool at_key = false) {
    findings_.push_back({Finding::Severity::kError, std::move(pointer), at_key, std::move(message)});
  }

  void check_name() {
    check_object_name(cron_.name, cron_.generate_name, findings_);
    if (const doc::Value* metadata = doc::find(*cron_.document, "metadata")) {
      check_labels(*metadata, {"/metadata", "metadata"}, findings_);
    }
    if (const doc::Value* given = doc::find(*cron_.document, "spec", "workflowMetadata")) {
      check_labels(*given, {"/spec/workflowMetadata", "spec.workflowMetadata"}, findings_);
    }
    if (cron_.name.size() <= kLongestName) return;
    error("/metadata/name", fmt::format("cron workflow name \"{}\" must not be more than 52 characters long (currently "
                                        "{})",
                                        cron_.name, cron_.name.size()));
  }

  void check_schedules() {
    if (cron_.schedules.empty()) error("/spec", "cron workflow must have at least one schedule: spec.schedules", true);
    bool zone_known = true;
    if (!cron_.timezone.empty()) {
      const auto zone = expr::load_zone(cron_.timezone);
      zone_known = zone.has_value();
      if (!zone) {
        error("/spec/timezone", fmt::format("invalid timezone \"{}\": {}; use an IANA name such as Europe/Berlin",
                                            cron_.timezone, zone.error().message));
      }
    }
    const std::vector<std::string> zoned = cron_.zoned_schedules();
    for (std::size_t i = 0; i < zoned.size(); ++i) {
      check_schedule(cron_.schedules[i], zone_known ? zoned[i] : cron_.schedules[i],
                     fmt::format("/spec/schedules/{}", i));
    }
  }

  void check_schedule(const std::string& written, const std::string& zoned, const std::string& pointer) {
    const auto alone = expr::CronSchedule::parse(written);
    const auto followed = expr::CronSchedule::parse(zoned);
    if (!alone) {
      return error(pointer, fmt::format("cron schedule {} is malformed: {}", written, alone.error().message));
    }
    if (!followed) {
      return error(pointer,
                   fmt::format("cron schedule {} names a time zone beside spec.timezone: remove one of them", written));
    }
    // Whether it is ever due does not depend on when one asks, but for leap years, which five years hold.
    constexpr Time kAnyTime{std::chrono::seconds(1'700'000'000)};
    if (followed->next(kAnyTime, {})) return;
    findings_.push_back(
        {Finding::Severity::kWarning, pointer, false, fmt::format("cron schedule {} is never due", written)});
  }

  void check_limits() {
    if (cron_.starting_deadline_seconds && *cron_.starting_deadline_seconds < 0) {
      error("/spec/startingDeadlineSeconds", "startingDeadlineSeconds must be positive");
    }
    const auto keeps = [&](const char* field, const auto& limit) {
      if (limit && *limit < 0) error(fmt::format("/spec/{}", field), fmt::format("{} must not be negative", field));
    };
    keeps("successfulJobsHistoryLimit", cron_.successful_jobs_history_limit);
    keeps("failedJobsHistoryLimit", cron_.failed_jobs_history_limit);
  }

  void check_stop_strategy() {
    if (!cron_.stop_expression) return;
    const auto compiled = expr::Expression::compile(*cron_.stop_expression);
    constexpr auto kPointer = "/spec/stopStrategy/expression";
    if (!compiled) {
      return error(kPointer, fmt::format("spec.stopStrategy.expression: {}", compiled.error().message));
    }
    check_variables(compiled->references(), kPointer, "spec.stopStrategy.expression");
  }

  void check_when() {
    constexpr auto kPointer = "/spec/when";
    const auto compiled = expr::TextTemplate::compile(cron_.when);
    if (!compiled) return error(kPointer, fmt::format("spec.when: {}", compiled.error().message));
    check_variables(compiled->references(), kPointer, "spec.when");
    if (!compiled->constant() || cron_.when.empty()) return;
    const auto decided = expr::eval_when(cron_.when, expr::WhenWords::kVariables);
    if (!decided) error(kPointer, fmt::format("spec.when: {}", decided.error().message));
  }

  void check_variables(const std::vector<std::string>& references, const std::string& pointer, std::string_view field) {
    for (const std::string& name : references) {
      const bool known = std::ranges::any_of(
          kVariables, [&](std::string_view each) { return each == name || name.starts_with(std::string(each) + "."); });
      if (known) continue;
      const std::vector<std::string> all(std::begin(kVariables), std::end(kVariables));
      error(pointer, fmt::format("{}: failed to resolve {{{{{}}}}}{}", field, name, did_you_mean(name, all)));
    }
  }

  const CronWorkflow& cron_;
  std::vector<Finding>& findings_;
};

}  // namespace

void validate_cron_workflow(const CronWorkflow& cron, std::vector<Finding>& findings) {
  CronValidator(cron, findings).run();
}

}  // namespace tiphys::api

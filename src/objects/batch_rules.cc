#include <fmt/format.h>

#include "expr/cron_schedule.h"
#include "objects/pod_spec_parts.h"
#include "objects/pod_spec_rules.h"
#include "objects/pod_warnings.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

const doc::Value* number(const doc::Value& object, std::string_view member) {
  const doc::Value* found = doc::find(object, member);
  return found && found->is_int64() ? found : nullptr;
}

constexpr std::int64_t kMostIndexedPods = 100'000;
constexpr std::size_t kMostManagerBytes = 63;

bool is_indexed(const doc::Value& spec) {
  return doc::find_string(spec, "completionMode") == "Indexed";
}

/// Of a Job and of a CronJob's template for Jobs, in which a Job's own defaults come with the Job.
void fill_job_spec(doc::Object& spec) {
  if (doc::Value& parallelism = spec["parallelism"]; parallelism.is_null()) {
    if (!spec.contains("completions")) spec["completions"] = 1;
    spec["parallelism"] = 1;
  }
  fill_in(spec, "backoffLimit", 6);
  fill_in(spec, "completionMode", "NonIndexed");
  fill_in(spec, "suspend", false);
  fill_in(spec, "podReplacementPolicy", spec.contains("podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
  fill_in(spec, "manualSelector", false);
  doc::Value* policy = spec.if_contains("podFailurePolicy");
  doc::Value* rules = policy && policy->is_object() ? policy->get_object().if_contains("rules") : nullptr;
  if (rules && rules->is_array()) {
    for (doc::Value& rule : rules->get_array()) {
      doc::Value* patterns = rule.is_object() ? rule.get_object().if_contains("onPodConditions") : nullptr;
      if (!patterns || !patterns->is_array()) continue;
      for (doc::Value& pattern : patterns->get_array()) {
        if (pattern.is_object()) fill_in(pattern.get_object(), "status", "True");
      }
    }
  }
  fill_template(spec);
}

void fill_job(doc::Object& job) {
  take_labels_of_template(job);
  fill_job_spec(doc::ensure_object(job, "spec"));
}

void check_failure_policy(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  const doc::Value* policy = doc::find(spec, "podFailurePolicy");
  if (!policy || !policy->is_object()) return;
  const Path here = at.field("podFailurePolicy");
  const auto restart = doc::find_string(spec, "template", "spec", "restartPolicy");
  if (restart != "Never") {
    const Path of_template = at.field("template");
    const Path pod_spec = of_template.field("spec");
    errors.push_back(schema::invalid(pod_spec.field("restartPolicy").text(), doc::Value(restart),
                                     "only \"Never\" is supported when podFailurePolicy is specified"));
  }
  const doc::Value* rules = doc::find(*policy, "rules");
  if (!rules || !rules->is_array()) return;
  const Path list = here.field("rules");
  std::size_t i = 0;
  for (const doc::Value& rule : rules->get_array()) {
    const Path one = list.index(i++);
    const auto action = doc::find_string(rule, "action");
    if (action == "FailIndex") {
      errors.push_back(schema::forbidden(one.field("action").text(), "FailIndex is not supported"));
    } else if (action != "FailJob" && action != "Ignore" && action != "Count") {
      errors.push_back(schema::not_supported(one.field("action").text(), doc::Value(action),
                                             {"Count", "FailIndex", "FailJob", "Ignore"}));
    }
    const bool codes = doc::find(rule, "onExitCodes"), conditions = doc::find(rule, "onPodConditions");
    if (codes == conditions) {
      errors.push_back(schema::invalid(one.text(), rule, "exactly one of onExitCodes and onPodConditions must be set"));
    }
  }
}

/// "example.com/name".
void check_manager(std::string_view by, const Path& at, FieldErrors& errors) {
  const auto slash = by.find('/');
  if (slash == by.npos || slash == 0 || slash + 1 == by.size()) {
    errors.push_back(by.empty() ? schema::required(at.text())
                                : schema::invalid(at.text(), doc::Value(by),
                                                  "must be a domain-prefixed path (such as \"acme.io/foo\")"));
  } else {
    complain(doc::Value(by.substr(0, slash)), at, dns_subdomain(by.substr(0, slash)), errors);
  }
  if (by.size() > kMostManagerBytes) {
    errors.push_back({schema::FieldError::Kind::kTooLong, at.text(),
                      fmt::format("Too long: may not be more than {} bytes", kMostManagerBytes)});
  }
}

void check_job_spec(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  for (const char* member :
       {"parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"}) {
    check_not_negative(spec, at, member, errors);
  }
  for (const char* member : {"backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"}) {
    if (doc::find(spec, member)) errors.push_back(schema::forbidden(at.field(member).text(), "is not supported"));
  }
  const auto mode = doc::find_string(spec, "completionMode");
  // A CronJob's template may leave it to the Jobs that come of it.
  if (!mode.empty() && mode != "NonIndexed" && mode != "Indexed") {
    errors.push_back(
        schema::not_supported(at.field("completionMode").text(), doc::Value(mode), {"Indexed", "NonIndexed"}));
  }
  if (is_indexed(spec) && !number(spec, "completions")) {
    errors.push_back(schema::required(at.field("completions").text(), "when completion mode is Indexed"));
  }
  if (const doc::Value* parallelism = number(spec, "parallelism");
      is_indexed(spec) && parallelism && parallelism->get_int64() > kMostIndexedPods) {
    errors.push_back(schema::invalid(
        at.field("parallelism").text(), *parallelism,
        fmt::format("must be less than or equal to {} when completion mode is Indexed", kMostIndexedPods)));
  }
  if (const auto by = doc::find_string(spec, "managedBy"); doc::find(spec, "managedBy")) {
    check_manager(by, at.field("managedBy"), errors);
  }
  const auto restart = doc::find_string(spec, "template", "spec", "restartPolicy");
  if (restart != "Never" && restart != "OnFailure") {
    const Path of_template = at.field("template");
    const Path pod_spec = of_template.field("spec");
    errors.push_back(
        restart.empty() || restart == "Always"
            ? schema::required(pod_spec.field("restartPolicy").text(), "valid values: \"OnFailure\", \"Never\"")
            : schema::not_supported(pod_spec.field("restartPolicy").text(), doc::Value(restart),
                                    {"Never", "OnFailure"}));
  }
  check_failure_policy(spec, at, errors);
  check_template(spec, at, errors);
}

void check_job(const doc::Value& job, FieldErrors& errors) {
  const doc::Value* spec = doc::find(job, "spec");
  if (!spec || !spec->is_object()) return;
  const Path root;
  const Path at = root.field("spec");
  check_job_spec(*spec, at, errors);
  const doc::Value* manual = doc::find(*spec, "manualSelector");
  if (manual && manual->is_bool() && manual->get_bool()) check_selector(*spec, at, errors);
}

/// Who says nothing of it leaves the selector to the plane.
void check_new_job(const doc::Value& job, FieldErrors& errors) {
  const doc::Value* manual = doc::find(job, "spec", "manualSelector");
  const doc::Value* selector = doc::find(job, "spec", "selector");
  const bool given = selector && selector->is_object() && !selector->get_object().empty();
  if (!given || (manual && manual->is_bool() && manual->get_bool())) return;
  errors.push_back(schema::invalid("spec.selector", *selector, "`selector` not auto-generated"));
}

bool has_started(const doc::Value& job) {
  return !doc::find_string(job, "status", "startTime").empty();
}

void check_job_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const Path root;
  const Path at = root.field("spec");
  const doc::Value* spec = doc::find(after, "spec");
  const doc::Value* parallelism = spec ? number(*spec, "parallelism") : nullptr;
  const doc::Value* completions = spec ? number(*spec, "completions") : nullptr;
  // An indexed Job may grow and shrink with its parallelism.
  const bool elastic = spec && is_indexed(*spec) && parallelism && completions && *parallelism == *completions;
  if (!elastic) check_fixed(before, after, at, "completions", errors);
  for (const char* member : {"selector", "completionMode", "podFailurePolicy", "managedBy"}) {
    check_fixed(before, after, at, member, errors);
  }
  const doc::Value* suspended = doc::find(before, "spec", "suspend");
  const bool may_change = suspended && suspended->is_bool() && suspended->get_bool() && !has_started(before);
  if (!may_change) check_fixed(before, after, at, "template", errors);
}

void fill_cron_job(doc::Object& cron) {
  doc::Object& spec = doc::ensure_object(cron, "spec");
  fill_in(spec, "concurrencyPolicy", "Allow");
  fill_in(spec, "suspend", false);
  fill_in(spec, "successfulJobsHistoryLimit", 3);
  fill_in(spec, "failedJobsHistoryLimit", 1);
  fill_template(doc::ensure_object(doc::ensure_object(spec, "jobTemplate"), "spec"));
}

/// Names are those of files of the tz database.
void check_time_zone(const std::string& zone, const Path& at, FieldErrors& errors) {
  const std::string where = at.field("timeZone").text();
  if (zone.empty()) {
    errors.push_back(schema::invalid(where, doc::Value(zone), "timeZone must be nil or non-empty string"));
  } else if (zone == "Local") {
    errors.push_back(schema::invalid(where, doc::Value(zone),
                                     "timeZone must be an explicit time zone as defined in "
                                     "https://www.iana.org/time-zones"));
  } else if (!expr::load_zone(zone)) {
    errors.push_back(schema::invalid(where, doc::Value(zone), "unknown time zone " + zone));
  }
}

/// That a schedule is given and can be read; its zone is a field of its own, but for old ones.
void check_schedule(const doc::Value& spec, bool may_name_zone, const Path& at, FieldErrors& errors) {
  const std::string text(doc::find_string(spec, "schedule"));
  const std::string where = at.field("schedule").text();
  if (text.empty()) return errors.push_back(schema::required(where));
  const auto refuse = [&](const std::string& why) { errors.push_back(schema::invalid(where, doc::Value(text), why)); };
  if (const auto schedule = expr::CronSchedule::parse(text); !schedule) refuse(schedule.error().message);
  if (text.find("TZ") == text.npos) return;
  if (!may_name_zone) {
    refuse("cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  } else if (doc::find(spec, "timeZone")) {
    refuse("cannot use both timeZone field and TZ or CRON_TZ in schedule");
  }
}

void check_cron_job_spec(const doc::Value& cron, const doc::Value* before, FieldErrors& errors) {
  const doc::Value* spec = doc::find(cron, "spec");
  if (!spec || !spec->is_object()) return;
  const Path root;
  const Path at = root.field("spec");
  const bool had_zone = before && doc::find_string(*before, "spec", "schedule").find("TZ") != std::string_view::npos;
  check_schedule(*spec, had_zone, at, errors);
  for (const char* member : {"startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"}) {
    check_not_negative(*spec, at, member, errors);
  }
  const doc::Value* zone = doc::find(*spec, "timeZone");
  const doc::Value* old_zone = before ? doc::find(*before, "spec", "timeZone") : nullptr;
  if (zone && zone->is_string() && !(old_zone && *old_zone == *zone)) {
    check_time_zone(doc::scalar_text(*zone), at, errors);
  }
  const std::string policy(doc::find_string(*spec, "concurrencyPolicy"));
  if (policy != "Allow" && policy != "Forbid" && policy != "Replace") {
    errors.push_back(schema::not_supported(at.field("concurrencyPolicy").text(), doc::Value(policy),
                                           {"Allow", "Forbid", "Replace"}));
  }
  const doc::Value* job = doc::find(*spec, "jobTemplate", "spec");
  if (!job || !job->is_object()) return;
  const Path of_template = at.field("jobTemplate");
  check_job_spec(*job, of_template.field("spec"), errors);
}

/// Jobs are named after it and a time.
void check_cron_job_name(const doc::Value& cron, FieldErrors& errors) {
  constexpr std::size_t kMostBytes = 52;
  const auto name = doc::find_string(cron, "metadata", "name");
  if (name.size() <= kMostBytes) return;
  errors.push_back(schema::invalid("metadata.name", doc::Value(name), "must be no more than 52 characters"));
}

/// What is refused of a change alone is told by check_cron_job_update.
void check_cron_job(const doc::Value& cron, FieldErrors& errors) {
  if (doc::find(cron, "metadata", "uid")) return;
  check_cron_job_name(cron, errors);
  check_cron_job_spec(cron, nullptr, errors);
}

void check_cron_job_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  check_cron_job_spec(after, &before, errors);
}

}  // namespace

const KindRules kJobRules{.fill = fill_job,
                          .check = check_job,
                          .check_update = check_job_update,
                          .check_new = check_new_job,
                          .warn = warn_of_template};
const KindRules kCronJobRules{
    .fill = fill_cron_job, .check = check_cron_job, .check_update = check_cron_job_update, .warn = warn_of_cron_job};

}  // namespace tiphys::objects

#include "cli/backfill.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "api/cron_workflow.h"
#include "api/parse.h"
#include "controllers/cron_plan.h"
#include "doc/yaml.h"
#include "expr/go_layout.h"

namespace tiphys::cli {
namespace {

constexpr std::size_t kMostTimes = 100'000;
/// What is generated behind it leaves 63 characters in all.
constexpr std::size_t kLongestPrefix = 57;
constexpr std::string_view kInput = "backfillscheduletime";
constexpr std::string_view kBackfillLabel = "workflows.argoproj.io/backfill";

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

std::string name_prefix(const doc::Value& cron_workflow, const std::string& name) {
  std::string prefix = fmt::format("{}-backfill-{}", doc::find_string(cron_workflow, "metadata", "name"), name);
  for (char& c : prefix) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return prefix.substr(0, kLongestPrefix) + "-";
}

/// A workflow of the CronWorkflow as the manifest of a resource template. Its own tags are its own: what would be read
/// as a tag of the backfill is written as an expression that gives the braces.
std::string run_manifest(const doc::Value& cron_workflow, const BackfillOptions& options, const std::string& now) {
  constexpr std::string_view kTime = "%BACKFILL-SCHEDULE-TIME%";
  doc::Value workflow = api::make_workflow(cron_workflow, "", now);
  doc::Object& root = workflow.get_object();
  root["metadata"].get_object()["generateName"] = name_prefix(cron_workflow, options.name);
  if (!options.parallel) root["spec"].get_object()["priority"] = std::numeric_limits<std::int32_t>::max();
  api::set_argument(workflow, options.argument, kTime);
  std::string text = doc::to_yaml(workflow);
  replace_all(text, "{{", R"({{="{"+"{"}})");
  replace_all(text, kTime, fmt::format("{{{{inputs.parameters.{}}}}}", kInput));
  return text;
}

doc::Array step_group(std::vector<std::string>::const_iterator first, std::vector<std::string>::const_iterator last,
                      std::size_t number, bool goes_on) {
  doc::Array times;
  for (auto time = first; time != last; ++time) times.emplace_back(*time);
  doc::Object step{
      {"name", number == 0 ? "create-workflow" : fmt::format("create-workflow-{}", number + 1)},
      {"template", "create-workflow"},
      {"arguments", doc::Object{{"parameters", doc::Array{doc::Object{{"name", kInput}, {"value", "{{item}}"}}}}}},
      {"withParam", doc::to_json(std::move(times))}};
  if (goes_on) step["continueOn"] = doc::Object{{"failed", true}, {"error", true}};
  return {doc::Value(std::move(step))};
}

doc::Value monitor(const doc::Value& cron_workflow, doc::Array groups, const std::string& manifest, bool parallel) {
  const doc::Object resource{{"action", "create"},
                             {"successCondition", "status.phase == Succeeded"},
                             {"failureCondition", "status.phase in (Failed, Error)"},
                             {"manifest", manifest}};
  const doc::Object inputs{{"parameters", doc::Array{doc::Object{{"name", kInput}}}}};
  doc::Object spec{
      {"entrypoint", "main"},
      {"templates", doc::Array{doc::Object{{"name", "main"}, {"steps", std::move(groups)}},
                               doc::Object{{"name", "create-workflow"}, {"inputs", inputs}, {"resource", resource}}}}};
  if (!parallel) spec["parallelism"] = 1;
  return doc::Object{
      {"apiVersion", "argoproj.io/v1alpha1"},
      {"kind", "Workflow"},
      {"metadata",
       doc::Object{{"generateName", "backfill-wf-"},
                   {"namespace", doc::find_string(cron_workflow, "metadata", "namespace")},
                   {"labels", doc::Object{{kBackfillLabel, doc::find_string(cron_workflow, "metadata", "name")}}}}},
      {"spec", std::move(spec)}};
}

Time to_time(const expr::GoTime& time) {
  return Time(std::chrono::seconds(time.seconds) + Duration(time.nanos));
}

}  // namespace

Result<std::vector<std::string>> backfill_times(const doc::Value& cron_workflow, const expr::GoTime& start,
                                                const expr::GoTime& end) {
  std::vector<api::Finding> findings;
  const api::CronWorkflow cron = api::parse_cron_workflow(cron_workflow, findings);
  TIPHYS_TRY(const auto plan, controllers::CronPlan::of(cron, start.zone));
  std::vector<std::string> times;
  const Time first = to_time(start);
  for (auto at = plan.next(first, first); at && *at <= to_time(end); at = plan.next(*at, first)) {
    if (times.size() == kMostTimes) {
      return fail(Code::kInvalidArgument,
                  fmt::format("there are more than {} runs in that time: choose a shorter one", kMostTimes));
    }
    expr::GoTime time = expr::from_time(*at);
    time.zone = start.zone;
    times.push_back(expr::format_time(time, expr::kTimeString));
  }
  return times;
}

std::vector<doc::Value> backfill_workflows(const doc::Value& cron_workflow, const std::vector<std::string>& times,
                                           const BackfillOptions& options, const std::string& now) {
  const std::string manifest = run_manifest(cron_workflow, options, now);
  std::vector<doc::Value> workflows;
  doc::Array groups;
  for (std::size_t from = 0; from < times.size(); from += options.most) {
    const std::size_t to = std::min(times.size(), from + options.most);
    const auto at = [&](std::size_t index) { return times.begin() + static_cast<std::ptrdiff_t>(index); };
    groups.emplace_back(step_group(at(from), at(to), groups.size(), !options.parallel && to < times.size()));
    if (options.parallel) workflows.push_back(monitor(cron_workflow, std::exchange(groups, {}), manifest, true));
  }
  if (!groups.empty()) workflows.push_back(monitor(cron_workflow, std::move(groups), manifest, false));
  return workflows;
}

}  // namespace tiphys::cli

#include "cli/backfill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/parse.h"
#include "doc/yaml.h"
#include "expr/go_layout.h"

namespace tiphys::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

doc::Value nightly(std::string_view spec) {
  auto documents = doc::parse_yaml(
      "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nmetadata: {name: nightly, namespace: argo}\nspec:\n" +
          std::string(spec) +
          "\n  workflowSpec: {entrypoint: main, templates: [{name: main, container: {image: x, args: "
          "['{{workflow.name}}']}}]}\n",
      "test.yaml");
  return std::move(documents->front().root);
}

expr::GoTime at(std::string_view text) {
  return expr::parse_time("2006-01-02 15:04 MST", text, {}).value();
}

TEST(Backfill, TimesAreThoseOfAllSchedulesInTheZoneOfTheStart) {
  const auto times = backfill_times(nightly("  schedules: ['0 12 * * *', '0 18 * * *']"), at("2026-03-28 00:00 GMT"),
                                    at("2026-03-29 12:00 GMT"));
  EXPECT_THAT(*times, ElementsAre("2026-03-28 12:00:00 +0000 GMT", "2026-03-28 18:00:00 +0000 GMT",
                                  "2026-03-29 12:00:00 +0000 GMT"));
  const auto zoned = backfill_times(nightly("  schedules: ['0 12 * * *']\n  timezone: Europe/Berlin"),
                                    at("2026-03-28 00:00 GMT"), at("2026-03-29 12:00 GMT"));
  EXPECT_THAT(*zoned, ElementsAre("2026-03-28 11:00:00 +0000 GMT", "2026-03-29 10:00:00 +0000 GMT"));
}

TEST(Backfill, WorkflowsAreValidAndTheirTagsTheirOwn) {
  const std::vector<std::string> times{"a", "b", "c"};
  const doc::Value cron = nightly("  schedules: ['0 12 * * *']");
  const auto serial = backfill_workflows(cron, times, {.name = "Again", .argument = "day", .most = 2}, "");
  ASSERT_EQ(serial.size(), 1U);
  EXPECT_EQ(serial[0].at("spec").at("parallelism").as_int64(), 1);
  EXPECT_EQ(serial[0].at("spec").at("templates").at(0).at("steps").as_array().size(), 2U);
  const auto parallel =
      backfill_workflows(cron, times, {.name = "Again", .argument = "day", .parallel = true, .most = 2}, "");
  ASSERT_EQ(parallel.size(), 2U);
  const std::string manifest(doc::find_string(parallel[0].at("spec").at("templates").at(1), "resource", "manifest"));
  EXPECT_THAT(manifest, HasSubstr(R"({{="{"+"{"}}workflow.name}})"));
  EXPECT_THAT(manifest, HasSubstr("nightly-backfill-again-"));
  EXPECT_THAT(manifest, HasSubstr("{{inputs.parameters.backfillscheduletime}}"));
  for (const auto& workflow : {serial[0], parallel[0], parallel[1]}) {
    std::vector<api::Finding> findings;
    const api::Workflow parsed = api::parse_workflow(workflow, findings);
    api::validate_workflow(parsed, findings);
    EXPECT_THAT(findings, testing::IsEmpty());
  }
}

}  // namespace
}  // namespace tiphys::cli

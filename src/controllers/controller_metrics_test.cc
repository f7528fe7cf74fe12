#include "controllers/controller_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::controllers {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ControllerMetrics, CountsOfCronWorkflows) {
  ControllerMetrics metrics;
  metrics.cron_triggered("ns", "tick");
  metrics.cron_limited("ns", "tick", "Forbid");
  metrics.error("CronWorkflowSpecError");
  const std::string page = metrics.text(Time{}, {});
  for (const char* line : {"argo_workflows_cronworkflows_triggered_total{name=\"tick\",namespace=\"ns\"} 1\n",
                           "argo_workflows_cronworkflows_concurrencypolicy_triggered{concurrency_policy=\"Forbid\","
                           "name=\"tick\",namespace=\"ns\"} 1\n",
                           "argo_workflows_error_count{cause=\"CronWorkflowSpecError\"} 1\n",
                           "argo_workflows_error_count{cause=\"CronWorkflowSubmissionError\"} 0\n"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
  EXPECT_THAT(page, Not(HasSubstr("total_count"))) << "nothing has happened";
}

TEST(ControllerMetrics, TheirNamesAreTaken) {
  ControllerMetrics metrics;
  const Status taken = metrics.of_workflows().emit({.name = "gauge", .help = "mine", .labels = {}, .value = 1}, "uid");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().message,
            "help for metric gauge is already set to Unfinished workflows by their phase, it cannot be changed");
}

}  // namespace
}  // namespace tiphys::controllers

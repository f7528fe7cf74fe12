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

TEST(ControllerMetrics, PodsThatWaitOrAreMissing) {
  ControllerMetrics metrics;
  for (const char* message :
       {"Unschedulable: 0/1 nodes", "Unschedulable: other words", "ErrImagePull", "PodInitializing", ""}) {
    metrics.pod_waits("ns", message);
  }
  metrics.pod_missing("Running", true);
  const std::string page = metrics.text(Time{}, {});
  for (const char* line : {"argo_workflows_pod_pending_count{namespace=\"ns\",reason=\"Unschedulable\"} 2\n",
                           "argo_workflows_pod_pending_count{namespace=\"ns\",reason=\"ErrImagePull\"} 1\n",
                           "argo_workflows_pod_missing{node_phase=\"Running\",recently_started=\"true\"} 1\n"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
  EXPECT_THAT(page, Not(HasSubstr("Initializing")));
}

TEST(ControllerMetrics, WhatTheProgramIs) {
  ControllerMetrics metrics;
  metrics.version(doc::Object{{"version", "v4.1.2"}, {"gitTag", "v0.1.0"}, {"platform", "linux/amd64"}});
  EXPECT_THAT(metrics.text(Time{}, {}),
              HasSubstr("argo_workflows_version{build_date=\"\",compiler=\"\",git_commit=\"\",git_tag=\"v0.1.0\","
                        "git_tree_state=\"\",go_version=\"\",platform=\"linux/amd64\",version=\"v4.1.2\"} 1\n"));
}

TEST(ControllerMetrics, LinesOfTheLog) {
  ControllerMetrics metrics;
  const auto counted = [&] {
    return fmt::format("argo_workflows_log_messages{{level=\"warn\"}} {}\n", log::lines(log::Level::kWarn));
  };
  EXPECT_THAT(metrics.text(Time{}, {}), HasSubstr(counted()));
  ::testing::internal::CaptureStderr();
  log::warn("one more");
  ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(metrics.text(Time{}, {}), HasSubstr(counted()));
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

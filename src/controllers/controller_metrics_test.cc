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

LockUse lock(std::string_view name, bool semaphore, std::size_t held, std::size_t awaited) {
  return {*engine::LockName::parse(name, semaphore), held, awaited};
}

TEST(ControllerMetrics, LocksByWhoHoldsAndAwaitsThem) {
  ControllerMetrics metrics;
  metrics.lock_taken(*engine::LockName::parse("ns/Mutex/deploy", false));
  metrics.lock_taken(*engine::LockName::parse("ns/Mutex/deploy", false));
  UnderWay under_way;
  under_way.locks = {lock("ns/Mutex/deploy", false, 1, 3), lock("ns/ConfigMap/limits/gpu", true, 2, 0),
                     lock("ns/Database/gpu", true, 4, 0), lock("ns/Database/gpu", false, 1, 0)};
  const std::string page = metrics.text(Time{}, under_way);
  for (const char* line :
       {"locks_held{lock_name=\"deploy\",namespace=\"ns\",storage=\"configmap\",type=\"mutex\"} 1\n",
        "locks_held{lock_name=\"limits/gpu\",namespace=\"ns\",storage=\"configmap\",type=\"semaphore\"} 2\n",
        "locks_held{lock_name=\"gpu\",namespace=\"ns\",storage=\"database\",type=\"semaphore\"} 4\n",
        "locks_held{lock_name=\"gpu\",namespace=\"ns\",storage=\"database\",type=\"mutex\"} 1\n",
        "locks_pending{lock_name=\"deploy\",namespace=\"ns\",storage=\"configmap\",type=\"mutex\"} 3\n",
        "locks_taken_total{lock_name=\"deploy\",namespace=\"ns\",storage=\"configmap\",type=\"mutex\"} 2\n"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
  const std::string later = metrics.text(Time{}, {});
  EXPECT_THAT(later, Not(HasSubstr("locks_held{"))) << "of a lock that nobody has nothing is known";
  EXPECT_THAT(later, HasSubstr("locks_taken_total{"));
}

TEST(ControllerMetrics, TimesAndWhatIsLost) {
  using namespace std::chrono_literals;
  ControllerMetrics metrics;
  metrics.operated(2ms);
  metrics.pod_delayed(0s);
  metrics.pod_delayed(700ms);
  metrics.telemetry_dropped("traces", 7);
  const std::string page = metrics.text(Time{}, {});
  for (const char* line : {"argo_workflows_operation_duration_seconds_bucket{le=\"5\"} 1\n",
                           "argo_workflows_operation_duration_seconds_sum 0.002\n",
                           "argo_workflows_resource_rate_limiter_latency_bucket{le=\"0\"} 1\n",
                           "argo_workflows_resource_rate_limiter_latency_bucket{le=\"1\"} 2\n",
                           "argo_workflows_telemetry_dropped_total{signal=\"traces\"} 7\n"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
}

TEST(ControllerMetrics, AreTheSameForOpenTelemetry) {
  ControllerMetrics metrics;
  metrics.cron_triggered("ns", "tick");
  ASSERT_TRUE(
      metrics.of_workflows().emit({.name = "mine", .help = "of a workflow", .labels = {}, .value = 0.5}, "uid"));
  const auto collected = metrics.collect(Time{}, {});
  const auto find = [&](std::string_view name) {
    const auto found = std::ranges::find(collected, name, &telemetry::Metric::name);
    EXPECT_NE(found, collected.end()) << name;
    return found == collected.end() ? telemetry::Metric() : *found;
  };
  const telemetry::Metric triggered = find("cronworkflows_triggered_total");
  EXPECT_EQ(triggered.unit, "{cronworkflow}");
  EXPECT_TRUE(triggered.whole);
  EXPECT_EQ(triggered.points.front().value, 1);
  EXPECT_EQ(triggered.points.front().attributes.at("name"), "tick");
  const telemetry::Metric mine = find("mine");
  EXPECT_EQ(mine.unit + mine.description, "{item}of a workflow");
  EXPECT_FALSE(mine.whole);
  EXPECT_EQ(find("gauge").type, telemetry::Metric::Type::kGauge);
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

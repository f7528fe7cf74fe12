#include <fmt/format.h>
#include <gmock/gmock.h>

#include "controllers/workloads/conditions.h"
#include "controllers/workloads/cron_job_plan.h"
#include "controllers/workloads/testing.h"

namespace tiphys::controllers::workloads {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

class CronJobTest : public testing::Test {
 protected:
  void cron(std::string_view spec) {
    plane.make(
        cluster::kCronJobs,
        fmt::format("metadata: {{name: c}}\nspec: {{{}, jobTemplate: {{metadata: {{labels: {{a: b}}}}, spec: "
                    "{{template: {{spec: {{restartPolicy: Never, containers: [{{name: main, image: x}}]}}}}}}}}}}\n",
                    spec));
  }
  std::vector<std::string> jobs() {
    std::vector<std::string> names;
    for (const auto& job : plane.all(cluster::kJobs)) names.push_back(name_of(*job));
    return names;
  }
  std::string job_at(Time time) {
    return fmt::format("c-{}", std::chrono::floor<minutes>(time.time_since_epoch()).count());
  }
  Time due(int n) { return start + n * minutes(1); }
  std::size_t active() { return list_at(*plane.get(cluster::kCronJobs, "c"), "status", "active").size(); }
  std::string status(const char* field) { return plane.field(cluster::kCronJobs, "c", "status", field); }
  void to_minute() { plane.advance(minutes(1) - (plane.now() - std::chrono::floor<minutes>(plane.now()))); }
  void end_all(int exit_code = 0) {
    for (const auto& pod : plane.active_pods()) plane.end_pod(*pod, exit_code);
  }

  TestPlane plane;
  Time start = std::chrono::floor<minutes>(plane.now());
};

TEST_F(CronJobTest, BeginsAJobAtEachTime) {
  cron("schedule: '* * * * *', concurrencyPolicy: Allow, successfulJobsHistoryLimit: 3");
  EXPECT_TRUE(jobs().empty());
  to_minute();
  ASSERT_THAT(jobs(), ElementsAre(job_at(due(1))));
  EXPECT_EQ(active(), 1u);
  EXPECT_EQ(status("lastScheduleTime"), format_rfc3339(due(1)));
  const auto job = plane.all(cluster::kJobs).front();
  EXPECT_EQ(doc::find_string(*job, "metadata", "labels", "a"), "b");
  EXPECT_EQ(doc::find_string(*job, "metadata", "annotations", "batch.kubernetes.io/cronjob-scheduled-timestamp"),
            format_rfc3339(due(1)));
  plane.advance(minutes(1));
  EXPECT_THAT(jobs(), ElementsAre(job_at(due(1)), job_at(due(2))));
  EXPECT_EQ(active(), 2u);
  end_all();
  EXPECT_EQ(active(), 0u);
  EXPECT_EQ(status("lastSuccessfulTime"), format_rfc3339(plane.now()));
}

TEST_F(CronJobTest, ForbidWaitsForTheOneThatRuns) {
  cron("schedule: '* * * * *', concurrencyPolicy: Forbid");
  to_minute();
  plane.advance(minutes(1));
  EXPECT_THAT(jobs(), ElementsAre(job_at(due(1))));
  plane.advance(seconds(30));
  end_all();
  EXPECT_THAT(jobs(), ElementsAre(job_at(due(1)), job_at(due(2)))) << "the newest that was missed begins late";
}

TEST_F(CronJobTest, ReplaceEndsTheOneThatRuns) {
  cron("schedule: '* * * * *', concurrencyPolicy: Replace");
  to_minute();
  plane.run_all();
  plane.advance(minutes(1));
  plane.finish_removals();
  EXPECT_THAT(jobs(), ElementsAre(job_at(due(2))));
  EXPECT_EQ(active(), 1u);
}

TEST_F(CronJobTest, KeepsSoManyThatHaveEnded) {
  cron("schedule: '* * * * *', concurrencyPolicy: Allow, successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0");
  to_minute();
  end_all();
  plane.advance(minutes(1));
  end_all();
  EXPECT_THAT(jobs(), ElementsAre(job_at(due(2))));
  plane.patch_quietly(cluster::kCronJobs, "c", R"({"spec": {"suspend": true}})");
  plane.advance(minutes(3));
  EXPECT_THAT(jobs(), ElementsAre(job_at(due(2)))) << "none begin of one that is suspended";
}

TEST_F(CronJobTest, OfManyMissedTimesTheNewestBegins) {
  cron("schedule: '* * * * *', concurrencyPolicy: Allow, suspend: true");
  plane.advance(minutes(500));
  plane.merge(cluster::kCronJobs, "c", R"({"spec": {"suspend": false}})");
  EXPECT_EQ(jobs().size(), 1u);
  EXPECT_EQ(jobs().front(), job_at(std::chrono::floor<minutes>(plane.now())));
}

TEST_F(CronJobTest, ADeadlinePasses) {
  cron("schedule: '0 * * * *', concurrencyPolicy: Allow, suspend: true, startingDeadlineSeconds: 100");
  plane.advance(std::chrono::hours(1) - (plane.now() - std::chrono::floor<std::chrono::hours>(plane.now())) +
                seconds(200));
  plane.merge(cluster::kCronJobs, "c", R"({"spec": {"suspend": false}})");
  EXPECT_TRUE(jobs().empty());
}

TEST_F(CronJobTest, GoesByItsZone) {
  const auto at = [](const char* text) { return *parse_rfc3339(text); };
  const auto object = doc::parse_json(R"({"metadata": {"name": "c", "namespace": "n", "uid": "u", "creationTimestamp":
      "2024-07-01T00:00:00Z"}, "spec": {"schedule": "30 8 * * *", "timeZone": "Europe/Berlin", "jobTemplate": {}}})");
  const auto early = plan_cron_job(*object, {}, at("2024-07-01T06:29:59Z"), {});
  EXPECT_FALSE(early.create.has_value());
  ASSERT_TRUE(early.look_again.has_value());
  EXPECT_EQ(format_rfc3339(*early.look_again), "2024-07-01T06:30:00Z");
  const auto due = plan_cron_job(*object, {}, at("2024-07-01T06:30:00Z"), {});
  ASSERT_TRUE(due.create.has_value());
  EXPECT_EQ(doc::find_string(*due.create, "metadata", "annotations", "batch.kubernetes.io/cronjob-scheduled-timestamp"),
            "2024-07-01T08:30:00+02:00");
}

TEST_F(CronJobTest, ATimeBeginsOneJobOverCrashes) {
  for (int steps = 0; steps < 200; ++steps) {
    TestPlane crashing;
    crashing.make(cluster::kCronJobs,
                  "metadata: {name: c}\nspec: {schedule: '* * * * *', concurrencyPolicy: Forbid, jobTemplate: {spec: "
                  "{template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}}}\n");
    const Time next = std::chrono::floor<minutes>(crashing.now()) + minutes(1);
    bool due = false;
    crashing.store().executor().schedule(next, [&] { due = true; });
    crashing.store().executor().run_until([&] { return due; });
    for (int i = 0; i < steps; ++i) crashing.store().executor().step();
    crashing.crash();
    crashing.run();
    ASSERT_EQ(crashing.all(cluster::kJobs).size(), 1u) << steps;
    const auto cron = crashing.get(cluster::kCronJobs, "c");
    ASSERT_EQ(list_at(*cron, "status", "active").size(), 1u) << steps;
    ASSERT_EQ(doc::find_string(*cron, "status", "lastScheduleTime"), format_rfc3339(next)) << steps;
  }
}

}  // namespace
}  // namespace tiphys::controllers::workloads

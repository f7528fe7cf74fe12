#include <fmt/format.h>
#include <gtest/gtest.h>

#include "controllers/workloads/conditions.h"
#include "controllers/workloads/index_set.h"
#include "controllers/workloads/job_plan.h"
#include "controllers/workloads/job_pods.h"
#include "controllers/workloads/testing.h"

namespace tiphys::controllers::workloads {
namespace {

using std::chrono::seconds;

class JobTest : public testing::Test {
 protected:
  void job(std::string_view spec, std::string_view name = "j") {
    plane.make(cluster::kJobs,
               fmt::format("metadata: {{name: {}}}\nspec: {{{}, template: {{spec: {{restartPolicy: Never, "
                           "containers: [{{name: main, image: busybox}}]}}}}}}\n",
                           name, spec));
  }
  std::string status(const char* field) { return plane.field(cluster::kJobs, "j", "status", field); }
  bool is(std::string_view condition) { return holds(value_at(*plane.get(cluster::kJobs, "j"), "status"), condition); }
  std::string reason(std::string_view condition) {
    const auto object = plane.get(cluster::kJobs, "j");
    const doc::Value* found = find_condition(value_at(*object, "status"), condition);
    return found ? std::string(doc::find_string(*found, "reason")) : "";
  }
  void end_all(int exit_code) {
    for (const auto& pod : plane.active_pods()) plane.end_pod(*pod, exit_code);
  }

  TestPlane plane;
};

TEST(IndexSetTest, IsWrittenAsIntervals) {
  struct Row {
    std::string_view rule, before;
    std::int64_t added;
    std::string_view after;
  };
  const Row rows[] = {
      {"the first", "", 4, "4"},
      {"two are a pair", "4", 5, "4,5"},
      {"three are a range", "4,5", 6, "4-6"},
      {"a gap stays", "0,2", 4, "0,2,4"},
      {"a gap closes", "0-2,4", 3, "0-4"},
      {"before a range", "3-5", 2, "2-5"},
      {"one that is there", "0-3", 2, "0-3"},
      {"beyond the end is left out", "0,9", 1, "0,1"},
  };
  for (const Row& row : rows) {
    IndexSet set = IndexSet::parse(row.before, 8);
    set.insert(row.added);
    EXPECT_EQ(set.text(), row.after) << row.rule;
    EXPECT_TRUE(set.has(row.added)) << row.rule;
  }
}

TEST_F(JobTest, PodsAreMadeAndCounted) {
  job("completions: 3, parallelism: 2");
  EXPECT_EQ(status("active"), "2");
  ASSERT_EQ(plane.active_pods().size(), 2U);
  const auto pod = plane.active_pods().front();
  EXPECT_TRUE(name_of(*pod).starts_with("j-"));
  EXPECT_TRUE(has_tracking_finalizer(*pod));
  EXPECT_EQ(doc::find_string(*pod, "metadata", "labels", "job-name"), "j");
  EXPECT_EQ(doc::find_string(list_at(*pod, "metadata", "ownerReferences")[0], "kind"), "Job");
  plane.end_pod(*pod, 0);
  EXPECT_EQ(status("succeeded"), "1");
  EXPECT_EQ(plane.active_pods().size(), 2U);
  plane.run_pod(*plane.active_pods().front());
  EXPECT_EQ(status("ready"), "1");
  end_all(0);
  EXPECT_EQ(status("succeeded"), "3");
  EXPECT_EQ(status("active"), "");
  EXPECT_TRUE(is("Complete"));
  EXPECT_EQ(reason("SuccessCriteriaMet"), "CompletionsReached");
  EXPECT_FALSE(status("completionTime").empty());
  EXPECT_EQ(plane.all(cluster::kPods).size(), 3U);
  for (const auto& ended : plane.all(cluster::kPods)) EXPECT_FALSE(has_tracking_finalizer(*ended));
}

TEST_F(JobTest, FailuresBackOffUpToTheLimit) {
  job("backoffLimit: 1");
  end_all(1);
  EXPECT_EQ(status("failed"), "1");
  EXPECT_TRUE(plane.active_pods().empty());
  plane.advance(seconds(9));
  EXPECT_TRUE(plane.active_pods().empty());
  plane.advance(seconds(2));
  EXPECT_EQ(plane.active_pods().size(), 1U);
  end_all(1);
  EXPECT_TRUE(is("Failed"));
  EXPECT_EQ(reason("Failed"), "BackoffLimitExceeded");
  EXPECT_EQ(reason("FailureTarget"), "BackoffLimitExceeded");
  EXPECT_EQ(status("failed"), "2");
}

TEST_F(JobTest, OneThatIsTooSlowFails) {
  job("activeDeadlineSeconds: 60");
  plane.run_pod(*plane.active_pods().front());
  plane.advance(seconds(61));
  EXPECT_TRUE(is("FailureTarget"));
  EXPECT_FALSE(is("Failed")) << "while a pod still ends";
  EXPECT_EQ(status("terminating"), "1");
  plane.finish_removals();
  EXPECT_TRUE(is("Failed"));
  EXPECT_EQ(reason("Failed"), "DeadlineExceeded");
  EXPECT_EQ(status("failed"), "1");
}

TEST_F(JobTest, IndexesAreDealtOut) {
  job("completions: 3, parallelism: 3, completionMode: Indexed");
  ASSERT_EQ(plane.active_pods().size(), 3U);
  for (const auto& pod : plane.active_pods()) {
    const auto index = completion_index(*pod);
    ASSERT_TRUE(index);
    EXPECT_EQ(doc::find_string(*pod, "spec", "hostname"), fmt::format("j-{}", *index));
    EXPECT_EQ(doc::find_string(list_at(list_at(*pod, "spec", "containers")[0], "env")[0], "name"),
              "JOB_COMPLETION_INDEX");
    plane.end_pod(*pod, *index == 1 ? 1 : 0);
  }
  EXPECT_EQ(status("completedIndexes"), "0,2");
  plane.advance(seconds(11));
  ASSERT_EQ(plane.active_pods().size(), 1U);
  EXPECT_EQ(completion_index(*plane.active_pods().front()), 1);
  end_all(0);
  EXPECT_EQ(status("completedIndexes"), "0-2");
  EXPECT_TRUE(is("Complete"));
}

TEST_F(JobTest, ASuspendedOneHasNoPods) {
  job("suspend: true");
  EXPECT_TRUE(plane.active_pods().empty());
  EXPECT_TRUE(is("Suspended"));
  EXPECT_EQ(status("startTime"), "");
  plane.merge(cluster::kJobs, "j", R"({"spec": {"suspend": false}})");
  EXPECT_EQ(reason("Suspended"), "JobResumed");
  EXPECT_EQ(plane.active_pods().size(), 1U);
  plane.merge(cluster::kJobs, "j", R"({"spec": {"suspend": true}})");
  EXPECT_TRUE(plane.active_pods().empty());
  EXPECT_EQ(status("failed"), "") << "what is taken away has not failed";
}

TEST_F(JobTest, ADeletedPodIsReplacedAndCounted) {
  job("backoffLimit: 3");
  const auto pod = plane.active_pods().front();
  plane.run_pod(*pod);
  static_cast<void>(plane.store().remove(key_of(cluster::kPods, *pod)));
  plane.run();
  EXPECT_EQ(status("failed"), "1");
  plane.finish_removals();
  plane.advance(seconds(60));
  ASSERT_EQ(plane.active_pods().size(), 1U);
  EXPECT_NE(name_of(*plane.active_pods().front()), name_of(*pod));
}

TEST_F(JobTest, APolicyDecidesWhatAFailureMeans) {
  job("backoffLimit: 0, podFailurePolicy: {rules: [{action: Ignore, onExitCodes: {operator: In, values: [3]}}, "
      "{action: FailJob, onExitCodes: {containerName: main, operator: In, values: [42]}}]}");
  end_all(3);
  EXPECT_EQ(status("failed"), "");
  plane.advance(seconds(11));
  ASSERT_EQ(plane.active_pods().size(), 1U);
  end_all(42);
  EXPECT_TRUE(is("Failed"));
  EXPECT_EQ(reason("Failed"), "PodFailurePolicy");
}

TEST_F(JobTest, AFinishedOneGoesInTime) {
  job("ttlSecondsAfterFinished: 30");
  end_all(0);
  plane.advance(seconds(29));
  EXPECT_TRUE(plane.get(cluster::kJobs, "j"));
  plane.advance(seconds(2));
  EXPECT_FALSE(plane.get(cluster::kJobs, "j"));
  EXPECT_TRUE(plane.all(cluster::kPods).empty());
}

TEST_F(JobTest, APodOfADeletedJobLosesItsFinalizer) {
  job("parallelism: 2, completions: 2");
  plane.run_pod(*plane.active_pods().front());
  static_cast<void>(plane.store().remove({&cluster::kJobs, "default", "j"}));
  plane.run();
  plane.finish_removals();
  EXPECT_TRUE(plane.all(cluster::kPods).empty());
}

TEST_F(JobTest, ANewControllerGoesOn) {
  job("completions: 4, parallelism: 2");
  plane.restart();
  EXPECT_EQ(plane.active_pods().size(), 2U);
  end_all(0);
  plane.restart();
  EXPECT_EQ(plane.active_pods().size(), 2U);
  end_all(0);
  EXPECT_EQ(status("succeeded"), "4");
  EXPECT_TRUE(is("Complete"));
}

}  // namespace
}  // namespace tiphys::controllers::workloads

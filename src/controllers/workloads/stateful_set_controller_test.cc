#include <fmt/format.h>
#include <gmock/gmock.h>

#include "controllers/workloads/stateful_set_plan.h"
#include "controllers/workloads/testing.h"

namespace tiphys::controllers::workloads {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class StatefulSetTest : public testing::Test {
 protected:
  void set(std::string_view more, std::string_view strategy = "{type: RollingUpdate, rollingUpdate: {partition: 0}}") {
    plane.make(cluster::kStatefulSets,
               fmt::format("metadata: {{name: s}}\nspec: {{{}, serviceName: svc, updateStrategy: {}, selector: "
                           "{{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: "
                           "[{{name: main, image: one}}]}}}}}}\n",
                           more, strategy));
  }
  std::vector<std::string> pods() {
    std::vector<std::string> names;
    for (const auto& pod : plane.all(cluster::kPods)) {
      names.push_back(name_of(*pod) + (is_deleting(*pod) ? "-" : is_ready(*pod) ? "+" : ""));
    }
    return names;
  }
  std::vector<std::string> images() {
    std::vector<std::string> found;
    for (const auto& pod : plane.all(cluster::kPods)) {
      found.emplace_back(doc::find_string(list_at(*pod, "spec", "containers")[0], "image"));
    }
    return found;
  }
  std::vector<std::string> claims() {
    std::vector<std::string> names;
    for (const auto& claim : plane.all(cluster::kPersistentVolumeClaims)) {
      const auto& owners = list_at(*claim, "metadata", "ownerReferences");
      names.push_back(name_of(*claim) +
                      (owners.empty() ? "" : " of " + std::string(doc::find_string(owners[0], "name"))));
    }
    return names;
  }
  void ready(const char* name) { plane.run_pod(*plane.get(cluster::kPods, name)); }
  void merge(std::string_view json) { plane.merge(cluster::kStatefulSets, "s", json); }
  void image(std::string_view name) {
    merge(fmt::format(
        R"({{"spec": {{"template": {{"spec": {{"containers": [{{"name": "main", "image": "{}"}}]}}}}}}}})", name));
  }
  std::string status(const char* field) { return plane.field(cluster::kStatefulSets, "s", "status", field); }
  std::size_t revisions() { return plane.all(cluster::kControllerRevisions).size(); }

  TestPlane plane;
};

TEST_F(StatefulSetTest, PodsBeginOneAfterTheOther) {
  set("replicas: 3");
  EXPECT_THAT(pods(), ElementsAre("s-0"));
  ready("s-0");
  EXPECT_THAT(pods(), ElementsAre("s-0+", "s-1"));
  ready("s-1");
  ready("s-2");
  EXPECT_EQ(status("readyReplicas"), "3");
  EXPECT_EQ(status("currentRevision"), status("updateRevision"));
  const auto pod = plane.get(cluster::kPods, "s-1");
  EXPECT_EQ(doc::find_string(*pod, "spec", "hostname"), "s-1");
  EXPECT_EQ(doc::find_string(*pod, "spec", "subdomain"), "svc");
  EXPECT_EQ(doc::find_string(*pod, "metadata", "labels", "statefulset.kubernetes.io/pod-name"), "s-1");
  EXPECT_EQ(doc::find_string(*pod, "metadata", "labels", "apps.kubernetes.io/pod-index"), "1");
  EXPECT_EQ(doc::find_string(*pod, "metadata", "labels", "controller-revision-hash"), status("updateRevision"));
}

TEST_F(StatefulSetTest, AndEndTheLastOneFirst) {
  set("replicas: 3");
  plane.run_all();
  merge(R"({"spec": {"replicas": 1}})");
  EXPECT_THAT(pods(), ElementsAre("s-0+", "s-1+", "s-2-"));
  plane.finish_removals();
  EXPECT_THAT(pods(), ElementsAre("s-0+", "s-1-"));
  plane.finish_removals();
  EXPECT_THAT(pods(), ElementsAre("s-0+"));
}

TEST_F(StatefulSetTest, ParallelOnesDoNotWait) {
  set("replicas: 3, podManagementPolicy: Parallel, ordinals: {start: 5}");
  EXPECT_THAT(pods(), ElementsAre("s-5", "s-6", "s-7"));
  merge(R"({"spec": {"replicas": 1}})");
  EXPECT_THAT(pods(), ElementsAre("s-5", "s-6-", "s-7-"));
}

TEST_F(StatefulSetTest, OnesThatHaveEndedBeginAnew) {
  set("replicas: 1");
  plane.run_all();
  const auto before = uid_of(*plane.get(cluster::kPods, "s-0"));
  plane.end_pod(*plane.get(cluster::kPods, "s-0"), 1);
  plane.finish_removals();
  ASSERT_THAT(pods(), ElementsAre("s-0"));
  EXPECT_NE(uid_of(*plane.get(cluster::kPods, "s-0")), before);
}

TEST_F(StatefulSetTest, UpdatesRollFromTheLastToTheFirst) {
  set("replicas: 3");
  plane.run_all();
  image("two");
  EXPECT_THAT(pods(), ElementsAre("s-0+", "s-1+", "s-2-"));
  EXPECT_NE(status("currentRevision"), status("updateRevision"));
  plane.finish_removals();
  EXPECT_THAT(pods(), ElementsAre("s-0+", "s-1+", "s-2")) << "the next waits for it";
  ready("s-2");
  EXPECT_THAT(pods(), ElementsAre("s-0+", "s-1-", "s-2+"));
  plane.run_all();
  EXPECT_THAT(images(), ElementsAre("two", "two", "two"));
  EXPECT_EQ(status("currentRevision"), status("updateRevision"));
  EXPECT_EQ(status("updatedReplicas"), "3");
  EXPECT_EQ(revisions(), 2u);
  image("one");
  plane.run_all();
  EXPECT_THAT(images(), ElementsAre("one", "one", "one"));
  EXPECT_EQ(revisions(), 2u) << "the old one is the newest again";
}

TEST_F(StatefulSetTest, UpToAPartition) {
  set("replicas: 3, podManagementPolicy: Parallel", "{type: RollingUpdate, rollingUpdate: {partition: 2}}");
  plane.run_all();
  image("two");
  plane.run_all();
  EXPECT_THAT(images(), ElementsAre("one", "one", "two"));
  // One below it that has gone comes back as it was.
  ASSERT_TRUE(plane.store().remove({&cluster::kPods, "default", "s-0"}, {.grace_seconds = 0}));
  plane.run_all();
  EXPECT_THAT(images(), ElementsAre("one", "one", "two"));
  merge(R"({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}})");
  plane.run_all();
  EXPECT_THAT(images(), ElementsAre("two", "two", "two"));
}

TEST_F(StatefulSetTest, OnDeleteWaitsForPeople) {
  set("replicas: 2", "{type: OnDelete}");
  plane.run_all();
  image("two");
  plane.run_all();
  EXPECT_THAT(images(), ElementsAre("one", "one"));
  ASSERT_TRUE(plane.store().remove({&cluster::kPods, "default", "s-0"}, {.grace_seconds = 0}));
  plane.run_all();
  EXPECT_THAT(images(), ElementsAre("two", "one"));
}

TEST_F(StatefulSetTest, HistoryHasALimit) {
  set("replicas: 1, revisionHistoryLimit: 1");
  for (const char* name : {"two", "three", "four"}) {
    plane.run_all();
    image(name);
  }
  plane.run_all();
  EXPECT_EQ(revisions(), 2u);
}

constexpr std::string_view kClaims =
    "replicas: 2, podManagementPolicy: Parallel, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: "
    "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]";

TEST_F(StatefulSetTest, EachPodHasItsClaims) {
  set(kClaims);
  EXPECT_THAT(claims(), ElementsAre("data-s-0", "data-s-1"));
  const auto pod = plane.get(cluster::kPods, "s-1");
  const doc::Value* volumes = doc::find(*pod, "spec", "volumes");
  ASSERT_NE(volumes, nullptr);
  EXPECT_EQ(doc::to_json(*volumes), R"([{"name":"data","persistentVolumeClaim":{"claimName":"data-s-1"}}])");
  plane.run_all();
  merge(R"({"spec": {"replicas": 0}})");
  plane.run_all();
  ASSERT_TRUE(plane.store().remove({&cluster::kStatefulSets, "default", "s"}));
  plane.run();
  EXPECT_THAT(claims(), ElementsAre("data-s-0", "data-s-1")) << "they are kept";
}

TEST_F(StatefulSetTest, ClaimsGoAsThePolicySays) {
  set(fmt::format("{}, persistentVolumeClaimRetentionPolicy: {{whenScaled: Delete, whenDeleted: Delete}}", kClaims));
  EXPECT_THAT(claims(), ElementsAre("data-s-0 of s", "data-s-1 of s"));
  plane.run_all();
  merge(R"({"spec": {"replicas": 1}})");
  EXPECT_THAT(claims(), ElementsAre("data-s-0 of s", "data-s-1 of s-1"));
  plane.finish_removals();
  EXPECT_THAT(claims(), ElementsAre("data-s-0 of s"));
  ASSERT_TRUE(plane.store().remove({&cluster::kStatefulSets, "default", "s"}));
  plane.run();
  EXPECT_THAT(claims(), IsEmpty());
  plane.finish_removals();
  EXPECT_THAT(pods(), IsEmpty());
  EXPECT_EQ(revisions(), 0u);
}

TEST_F(StatefulSetTest, GoesOnAfterACrashAtAnyStep) {
  for (int steps = 0; steps < 150; steps += 3) {
    TestPlane crashing;
    crashing.make(cluster::kStatefulSets,
                  "metadata: {name: s}\nspec: {replicas: 2, podManagementPolicy: Parallel, selector: {matchLabels: {a: "
                  "b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: main, image: one}]}}, "
                  "volumeClaimTemplates: [{metadata: {name: data}, spec: {}}]}\n");
    crashing.run_all();
    crashing.patch_quietly(
        cluster::kStatefulSets, "s",
        R"({"spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "main", "image": "two"}]}}}})");
    for (int i = 0; i < steps; ++i) crashing.store().executor().step();
    crashing.crash();
    crashing.run();
    crashing.run_all();
    ASSERT_EQ(crashing.active_pods().size(), 3u) << steps;
    for (const auto& pod : crashing.active_pods()) {
      ASSERT_EQ(doc::find_string(list_at(*pod, "spec", "containers")[0], "image"), "two") << steps;
    }
    ASSERT_EQ(crashing.all(cluster::kControllerRevisions).size(), 2u) << steps;
    ASSERT_EQ(crashing.all(cluster::kPersistentVolumeClaims).size(), 3u) << steps;
  }
}

}  // namespace
}  // namespace tiphys::controllers::workloads

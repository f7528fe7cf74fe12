#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cluster/rare_resources.h"
#include "controllers/workloads/conditions.h"
#include "controllers/workloads/owner.h"
#include "controllers/workloads/revisions.h"
#include "controllers/workloads/testing.h"

namespace tiphys::controllers::workloads {
namespace {

using std::chrono::seconds;

constexpr std::string_view kTemplate =
    "selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {restartPolicy: Always, "
    "containers: [{name: main, image: one}]}}";

class DeploymentTest : public testing::Test {
 protected:
  void deploy(std::string_view spec) {
    plane.make(cluster::kDeployments, fmt::format("metadata: {{name: d}}\nspec: {{{}, {}}}\n", spec, kTemplate));
  }
  void set_image(std::string_view image) {
    plane.merge(
        cluster::kDeployments, "d",
        fmt::format(R"({{"spec": {{"template": {{"spec": {{"containers": [{{"name": "main", "image": "{}"}}]}}}}}}}})",
                    image));
  }
  std::string status(const char* field) { return plane.field(cluster::kDeployments, "d", "status", field); }
  std::string reason(std::string_view type) {
    const auto object = plane.get(cluster::kDeployments, "d");
    const doc::Value* found = find_condition(value_at(*object, "status"), type);
    return found ? std::string(doc::find_string(*found, "reason")) : "";
  }
  std::string revision() { return std::to_string(revision_of(*plane.get(cluster::kDeployments, "d"))); }
  /// As the API does it for a client that asks for it.
  void remove_with(std::string_view finalizer) {
    plane.merge(cluster::kDeployments, "d", fmt::format(R"({{"metadata": {{"finalizers": ["{}"]}}}})", finalizer));
    static_cast<void>(plane.store().remove({&cluster::kDeployments, "default", "d"}));
    plane.run();
  }
  std::size_t pods_with(std::string_view image) {
    return static_cast<std::size_t>(std::ranges::count_if(plane.active_pods(), [&](const auto& pod) {
      return doc::find_string(list_at(*pod, "spec", "containers")[0], "image") == image;
    }));
  }

  TestPlane plane;
};

class ReplicaSetTest : public testing::Test {
 protected:
  void make(int replicas) {
    plane.make(cluster::kReplicaSets,
               fmt::format("metadata: {{name: r}}\nspec: {{replicas: {}, {}}}\n", replicas, kTemplate));
  }
  std::string status(const char* field) { return plane.field(cluster::kReplicaSets, "r", "status", field); }
  TestPlane plane;
};

TEST_F(ReplicaSetTest, KeepsItsNumberOfPods) {
  make(3);
  EXPECT_EQ(plane.active_pods().size(), 3U);
  EXPECT_EQ(status("replicas"), "3");
  plane.run_all();
  EXPECT_EQ(status("readyReplicas"), "3");
  EXPECT_EQ(status("availableReplicas"), "3");
  static_cast<void>(plane.store().remove(key_of(cluster::kPods, *plane.active_pods().front())));
  plane.run();
  EXPECT_EQ(plane.active_pods().size(), 3U);
  plane.merge(cluster::kReplicaSets, "r", R"({"spec": {"replicas": 1}})");
  EXPECT_EQ(plane.active_pods().size(), 1U);
  EXPECT_TRUE(is_ready(*plane.active_pods().front())) << "what is not ready goes first";
}

TEST_F(ReplicaSetTest, TakesInPodsThatFitAndLetsGoOfOthers) {
  plane.make(cluster::kPods, "metadata: {name: p, labels: {app: web}}\nspec: {containers: [{name: main, image: one}]}");
  make(1);
  ASSERT_EQ(plane.active_pods().size(), 1U);
  EXPECT_EQ(controller_uid(*plane.get(cluster::kPods, "p")), uid_of(*plane.get(cluster::kReplicaSets, "r")));
  plane.merge(cluster::kPods, "p", R"({"metadata": {"labels": {"app": "other"}}})");
  EXPECT_EQ(controller_of(*plane.get(cluster::kPods, "p")), nullptr);
  EXPECT_EQ(plane.active_pods().size(), 2U);
}

TEST_F(ReplicaSetTest, PodsThatFailAtOnceAreNotReplacedInARush) {
  make(1);
  for (int i = 0; i < 2; ++i) {
    plane.end_pod(*plane.active_pods().front(), 1);
    EXPECT_TRUE(plane.active_pods().empty());
    plane.advance(seconds(i == 0 ? 11 : 21));
    ASSERT_EQ(plane.active_pods().size(), 1U);
  }
}

TEST(ReplicationController, KeepsItsNumberOfPodsByAMapOfLabels) {
  TestPlane plane;
  plane.make(cluster::kPods, "metadata: {name: p, labels: {app: web}}\nspec: {containers: [{name: main, image: one}]}");
  plane.make(
      cluster::kReplicationControllers,
      "metadata: {name: r}\nspec: {replicas: 2, selector: {app: web}, template: {metadata: {labels: {app: web}}, "
      "spec: {restartPolicy: Always, containers: [{name: main, image: one}]}}}\n");
  EXPECT_EQ(plane.active_pods().size(), 2U);
  for (const auto& pod : plane.active_pods()) {
    EXPECT_EQ(doc::find_string(*controller_of(*pod), "kind"), "ReplicationController");
  }
  plane.run_all();
  EXPECT_EQ(plane.field(cluster::kReplicationControllers, "r", "status", "availableReplicas"), "2");
  plane.merge(cluster::kReplicationControllers, "r", R"({"spec": {"replicas": 0}})");
  plane.run_all();
  EXPECT_TRUE(plane.active_pods().empty());
  EXPECT_EQ(plane.field(cluster::kReplicationControllers, "r", "status", "replicas"), "0");
  bool told = false;
  for (const auto& event : plane.all(cluster::kEvents)) {
    told = told || doc::find_string(*event, "source", "component") == "replication-controller";
  }
  EXPECT_TRUE(told);
}

TEST_F(DeploymentTest, RollsOutItsFirstTemplate) {
  deploy("replicas: 2");
  EXPECT_EQ(reason("Progressing"), "ReplicaSetUpdated");
  EXPECT_EQ(reason("Available"), "MinimumReplicasUnavailable");
  EXPECT_EQ(revision(), "1");
  plane.run_all();
  EXPECT_EQ(status("availableReplicas"), "2");
  EXPECT_EQ(status("updatedReplicas"), "2");
  EXPECT_EQ(reason("Progressing"), "NewReplicaSetAvailable");
  EXPECT_EQ(reason("Available"), "MinimumReplicasAvailable");
  const auto set = plane.all(cluster::kReplicaSets).front();
  const auto hash = doc::find_string(*set, "metadata", "labels", kTemplateHash);
  EXPECT_EQ(name_of(*set), fmt::format("d-{}", hash));
  EXPECT_EQ(doc::find_string(*plane.active_pods().front(), "metadata", "labels", kTemplateHash), hash);
}

TEST_F(DeploymentTest, ANewTemplateReplacesTheOldOneStepByStep) {
  deploy("replicas: 4, strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}");
  plane.run_all();
  set_image("two");
  EXPECT_EQ(pods_with("one"), 3U);
  EXPECT_EQ(pods_with("two"), 2U);
  EXPECT_EQ(revision(), "2");
  plane.run_all();
  EXPECT_EQ(pods_with("one"), 0U);
  EXPECT_EQ(pods_with("two"), 4U);
  EXPECT_EQ(status("replicas"), "4");
  EXPECT_EQ(plane.all(cluster::kReplicaSets).size(), 2U) << "the old one stays for a rollback";
  // The old template comes back: its ReplicaSet is the newest revision.
  set_image("one");
  plane.run_all();
  EXPECT_EQ(pods_with("one"), 4U);
  EXPECT_EQ(revision(), "3");
  EXPECT_EQ(plane.all(cluster::kReplicaSets).size(), 2U);
}

TEST_F(DeploymentTest, RecreateWaitsForTheLastOldPod) {
  deploy("replicas: 2, strategy: {type: Recreate}");
  plane.run_all();
  set_image("two");
  EXPECT_EQ(plane.active_pods().size(), 0U);
  plane.finish_removals();
  EXPECT_EQ(pods_with("two"), 2U);
}

TEST_F(DeploymentTest, OneThatDoesNotProgressIsTold) {
  deploy("replicas: 1, progressDeadlineSeconds: 30");
  plane.advance(seconds(31));
  EXPECT_EQ(reason("Progressing"), "ProgressDeadlineExceeded");
  plane.run_all();
  EXPECT_EQ(reason("Progressing"), "NewReplicaSetAvailable");
}

TEST_F(DeploymentTest, KeepsAsManyRevisionsAsItsHistory) {
  deploy("replicas: 1, revisionHistoryLimit: 1");
  for (const char* image : {"two", "three", "four"}) {
    plane.run_all();
    set_image(image);
  }
  plane.run_all();
  EXPECT_EQ(plane.all(cluster::kReplicaSets).size(), 2U);
}

TEST_F(DeploymentTest, CanBeScaledAndPaused) {
  deploy("replicas: 1");
  plane.run_all();
  plane.merge(cluster::kDeployments, "d", R"({"spec": {"replicas": 3}})");
  EXPECT_EQ(plane.active_pods().size(), 3U);
  plane.merge(cluster::kDeployments, "d", R"({"spec": {"paused": true}})");
  set_image("two");
  plane.run_all();
  EXPECT_EQ(pods_with("one"), 3U);
  plane.merge(cluster::kDeployments, "d", R"({"spec": {"paused": null, "replicas": 0}})");
  plane.run_all();
  EXPECT_TRUE(plane.active_pods().empty());
}

TEST_F(DeploymentTest, InTheForegroundItGoesLast) {
  deploy("replicas: 2");
  plane.run_all();
  remove_with("foregroundDeletion");
  EXPECT_TRUE(plane.active_pods().empty());
  EXPECT_EQ(plane.all(cluster::kReplicaSets).size(), 1U) << "waits for its pods";
  EXPECT_TRUE(plane.get(cluster::kDeployments, "d"));
  plane.restart();
  plane.finish_removals();
  EXPECT_TRUE(plane.all(cluster::kReplicaSets).empty());
  EXPECT_FALSE(plane.get(cluster::kDeployments, "d"));
}

TEST_F(DeploymentTest, OrphansStayAndAreTakenInAgain) {
  deploy("replicas: 2");
  plane.run_all();
  remove_with("orphan");
  EXPECT_FALSE(plane.get(cluster::kDeployments, "d"));
  ASSERT_EQ(plane.all(cluster::kReplicaSets).size(), 1U);
  EXPECT_EQ(controller_of(*plane.all(cluster::kReplicaSets).front()), nullptr);
  EXPECT_EQ(plane.active_pods().size(), 2U);
  deploy("replicas: 2");
  plane.run_all();
  EXPECT_EQ(plane.all(cluster::kReplicaSets).size(), 1U);
  EXPECT_EQ(plane.active_pods().size(), 2U);
}

TEST_F(DeploymentTest, WhatItMadeGoesWithIt) {
  deploy("replicas: 2");
  plane.run_all();
  static_cast<void>(plane.store().remove({&cluster::kDeployments, "default", "d"}));
  plane.run();
  plane.run_all();
  EXPECT_TRUE(plane.all(cluster::kReplicaSets).empty());
  EXPECT_TRUE(plane.all(cluster::kPods).empty());
}

}  // namespace
}  // namespace tiphys::controllers::workloads

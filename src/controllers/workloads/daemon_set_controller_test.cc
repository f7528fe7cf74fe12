#include <fmt/format.h>
#include <gmock/gmock.h>

#include "cluster/rare_resources.h"
#include "controllers/workloads/daemon_set_plan.h"
#include "controllers/workloads/node_fit.h"
#include "controllers/workloads/testing.h"

namespace tiphys::controllers::workloads {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class DaemonSetTest : public testing::Test {
 protected:
  DaemonSetTest() {
    add_node("one");
    add_node("two");
  }
  void add_node(const char* name, const char* more = "") {
    auto node = doc::parse_yaml(
        fmt::format("{{metadata: {{name: {0}, labels: {{kubernetes.io/hostname: {0}}}}}, spec: {{{1}}}}}", name, more),
        "test.yaml");
    EXPECT_TRUE(plane.store().create(cluster::kNodes, std::move(node->front().root)).has_value());
    plane.run();
  }
  void set(std::string_view more = "", std::string_view pod_spec = "") {
    plane.make(cluster::kDaemonSets,
               fmt::format("metadata: {{name: d, annotations: {{{}: '1'}}}}\nspec: {{{} selector: {{matchLabels: {{a: "
                           "b}}}}, template: {{metadata: {{labels: {{a: b}}}}, spec: {{{} containers: [{{name: main, "
                           "image: v1}}]}}}}}}\n",
                           kTemplateGeneration, more, pod_spec));
  }
  /// "NODE:IMAGE", with a + when it is ready and a - when it is to go.
  std::vector<std::string> pods() {
    std::vector<std::string> all;
    for (const auto& pod : plane.all(cluster::kPods)) {
      all.push_back(fmt::format("{}:{}{}", target_node(*pod),
                                doc::find_string(list_at(*pod, "spec", "containers")[0], "image"),
                                is_deleting(*pod) ? "-"
                                : is_ready(*pod)  ? "+"
                                                  : ""));
    }
    std::ranges::sort(all);
    return all;
  }
  void run_pods() {
    for (const auto& pod : plane.active_pods()) {
      if (!is_ready(*pod)) run_on(*pod, std::string(target_node(*pod)));
    }
  }
  void run_on(const doc::Value& pod, const std::string& node) {
    const doc::Object ready{{"type", "Ready"}, {"status", "True"}, {"lastTransitionTime", format_rfc3339(plane.now())}};
    const doc::Object status{{"phase", "Running"}, {"conditions", doc::Array{ready}}};
    plane.merge(cluster::kPods, name_of(pod),
                doc::to_json(doc::Object{{"spec", doc::Object{{"nodeName", node}}}, {"status", status}}));
  }
  void image(std::string_view name) {
    plane.merge(
        cluster::kDaemonSets, "d",
        fmt::format(R"({{"spec": {{"template": {{"spec": {{"containers": [{{"name": "main", "image": "{}"}}]}}}}}}}})",
                    name));
  }
  std::string status(const char* field) { return plane.field(cluster::kDaemonSets, "d", "status", field); }

  TestPlane plane;
};

TEST_F(DaemonSetTest, EachNodeHasAPod) {
  set();
  EXPECT_THAT(pods(), ElementsAre("one:v1", "two:v1"));
  run_pods();
  EXPECT_THAT(pods(), ElementsAre("one:v1+", "two:v1+"));
  EXPECT_EQ(doc::to_json(value_at(*plane.get(cluster::kDaemonSets, "d"), "status")),
            R"({"currentNumberScheduled":2,"numberMisscheduled":0,"desiredNumberScheduled":2,"numberReady":2,)"
            R"("updatedNumberScheduled":2,"numberAvailable":2,"observedGeneration":1})");
  add_node("three");
  EXPECT_EQ(pods().size(), 3U);
  const auto pod = plane.active_pods().front();
  const auto revision = plane.all(cluster::kControllerRevisions).front();
  const auto hash = doc::find_string(*revision, "metadata", "labels", "controller-revision-hash");
  EXPECT_EQ(doc::find_string(*pod, "metadata", "labels", "controller-revision-hash"), hash);
  EXPECT_EQ(doc::find_string(*pod, "metadata", "labels", kPodTemplateGeneration), "1");
  EXPECT_EQ(name_of(*revision), fmt::format("d-{}", hash));
}

TEST_F(DaemonSetTest, OnlyNodesThatItChoosesHaveOne) {
  set("", "nodeSelector: {kubernetes.io/hostname: two},");
  EXPECT_THAT(pods(), ElementsAre("two:v1"));
  EXPECT_EQ(status("desiredNumberScheduled"), "1");
  plane.merge(cluster::kDaemonSets, "d",
              R"({"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": "one"}}}}})");
  EXPECT_THAT(pods(), UnorderedElementsAre("one:v1", "two:v1-"));
}

TEST_F(DaemonSetTest, APodThatIsGoneIsReplacedOnceItsPlaceIsFree) {
  set();
  run_pods();
  static_cast<void>(plane.store().remove(key_of(cluster::kPods, *plane.active_pods().front())));
  plane.run();
  EXPECT_EQ(plane.active_pods().size(), 1U);
  plane.finish_removals();
  EXPECT_EQ(plane.active_pods().size(), 2U);
}

TEST_F(DaemonSetTest, PodsThatFailAreReplacedAfterAWhileAndThenLater) {
  plane.store().remove({&cluster::kNodes, "", "two"});
  plane.run();
  set();
  for (const int wait : {1, 2, 4}) {
    ASSERT_EQ(plane.active_pods().size(), 1U) << wait;
    plane.end_pod(*plane.active_pods().front(), 1);
    plane.advance(seconds(wait) - std::chrono::milliseconds(1500));
    plane.finish_removals();
    EXPECT_TRUE(plane.active_pods().empty()) << wait;
    plane.advance(seconds(2));
    plane.finish_removals();
  }
  run_pods();
  plane.end_pod(*plane.active_pods().front(), 0);
  plane.finish_removals();
  EXPECT_EQ(plane.active_pods().size(), 1U) << "what has succeeded is replaced at once";
}

TEST_F(DaemonSetTest, ANewTemplateReplacesOnePodAtATime) {
  set();
  run_pods();
  image("v2");
  EXPECT_THAT(pods(), ElementsAre("one:v1-", "two:v1+"));
  plane.finish_removals();
  EXPECT_THAT(pods(), ElementsAre("one:v2", "two:v1+")) << "the next one waits for it";
  run_pods();
  EXPECT_THAT(pods(), ElementsAre("one:v2+", "two:v1-"));
  plane.finish_removals();
  run_pods();
  EXPECT_THAT(pods(), ElementsAre("one:v2+", "two:v2+"));
  EXPECT_EQ(status("updatedNumberScheduled"), "2");
  EXPECT_EQ(plane.all(cluster::kControllerRevisions).size(), 2U);
}

TEST_F(DaemonSetTest, ShareOfNodesMayBeMissing) {
  set("updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 60%, maxSurge: 0}},");
  run_pods();
  image("v2");
  EXPECT_THAT(pods(), ElementsAre("one:v1-", "two:v1-")) << "60% of two, rounded up";
}

TEST_F(DaemonSetTest, WithASurgeTheNewPodStartsBesideTheOldOne) {
  set("updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}},");
  run_pods();
  image("v2");
  EXPECT_THAT(pods(), ElementsAre("one:v1+", "one:v2", "two:v1+"));
  run_pods();
  EXPECT_THAT(pods(), ElementsAre("one:v1-", "one:v2+", "two:v1+", "two:v2"));
  plane.finish_removals();
  EXPECT_THAT(pods(), ElementsAre("one:v2+", "two:v1+", "two:v2"));
}

TEST_F(DaemonSetTest, OnDeletePodsStayUntilSomebodyDeletesThem) {
  set("updateStrategy: {type: OnDelete},");
  run_pods();
  image("v2");
  EXPECT_THAT(pods(), ElementsAre("one:v1+", "two:v1+"));
  static_cast<void>(plane.store().remove(key_of(cluster::kPods, *plane.active_pods().front())));
  plane.run();
  plane.finish_removals();
  EXPECT_EQ(status("updatedNumberScheduled"), "1");
}

TEST_F(DaemonSetTest, AnEarlierTemplateIsTheNewestRevisionAgain) {
  set();
  image("v2");
  image("v1");
  std::vector<std::int64_t> numbers;
  for (const auto& revision : plane.all(cluster::kControllerRevisions)) {
    numbers.push_back(number_at(*revision, "revision").value_or(0));
  }
  EXPECT_THAT(numbers, UnorderedElementsAre(2, 3));
}

TEST_F(DaemonSetTest, GoesOnAfterARestart) {
  set();
  plane.restart();
  EXPECT_THAT(pods(), ElementsAre("one:v1", "two:v1"));
}

TEST_F(DaemonSetTest, WithTheForegroundItsPodsGoFirst) {
  set();
  run_pods();
  plane.merge(cluster::kDaemonSets, "d", R"({"metadata": {"finalizers": ["foregroundDeletion"]}})");
  static_cast<void>(plane.store().remove({&cluster::kDaemonSets, "default", "d"}));
  plane.run();
  ASSERT_NE(plane.get(cluster::kDaemonSets, "d"), nullptr);
  plane.finish_removals();
  EXPECT_EQ(plane.get(cluster::kDaemonSets, "d"), nullptr);
  EXPECT_THAT(plane.all(cluster::kControllerRevisions), IsEmpty());
}

}  // namespace
}  // namespace tiphys::controllers::workloads

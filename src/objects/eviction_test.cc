#include "objects/eviction.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "objects/testing.h"

namespace tiphys::objects {
namespace {

using ::testing::HasSubstr;

class EvictionTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(api_.create(budget("b", "minAvailable: 1")).has_value()); }

  static std::string budget(std::string_view name, std::string_view spec) {
    return fmt::format(
        "{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: {}}}, spec: {{{}, selector: "
        "{{matchLabels: {{app: a}}}}}}}}",
        name, spec);
  }
  void make_pod(std::string_view name, std::string_view phase, std::string_view ready) {
    ASSERT_TRUE(
        api_.create(fmt::format("{{apiVersion: v1, kind: Pod, metadata: {{name: {}, labels: {{app: a}}}}, spec: "
                                "{{nodeName: here, containers: [{{name: m, image: x}}]}}}}",
                                name))
            .has_value());
    Target status = api_.target("v1", "Pod", name);
    status.subresource = "status";
    ASSERT_TRUE(
        api_.patch(status, cluster::PatchType::kMerge,
                   fmt::format("{{status: {{phase: {}, conditions: [{{type: Ready, status: '{}'}}]}}}}", phase, ready))
            .has_value());
  }
  void set_status(std::string_view status) {
    Target target = api_.target("policy/v1", "PodDisruptionBudget", "b");
    target.subresource = "status";
    const auto written = api_.patch(target, cluster::PatchType::kMerge, fmt::format("{{status: {{{}}}}}", status));
    ASSERT_TRUE(written.has_value()) << written.error().message;
  }
  Outcome<Written> evict(std::string_view name, std::string_view more = "", bool dry_run = false) {
    Target target = api_.target("v1", "Pod", name);
    target.subresource = "eviction";
    auto body =
        parse_one(fmt::format("{{apiVersion: policy/v1, kind: Eviction, metadata: {{name: {}}}{}}}", name, more));
    auto done = api_.wait<Written>(
        [&](auto reply) { api_.api().create_part(target, std::move(body), {.dry_run = dry_run}, std::move(reply)); });
    api_.store().run();
    return done;
  }
  /// "gone", "going" or "there".
  std::string pod(std::string_view name) {
    const auto found = api_.get(api_.target("v1", "Pod", name));
    if (!found) return "gone";
    return doc::find_string(**found, "metadata", "deletionTimestamp").empty() ? "there" : "going";
  }
  std::string of_budget(const char* member) {
    const auto found = api_.get(api_.target("policy/v1", "PodDisruptionBudget", "b"));
    const doc::Value* value = found ? doc::find(**found, "status", member) : nullptr;
    return value ? doc::to_json(*value) : "none";
  }

  TestApi api_;
};

TEST_F(EvictionTest, IsCountedByTheBudget) {
  make_pod("p", "Running", "True");
  auto refused = evict("p");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, 429U);
  EXPECT_THAT(doc::to_json(refused.error().details), HasSubstr("b is still being processed by the server"));
  EXPECT_THAT(doc::to_json(refused.error().details), HasSubstr("\"retryAfterSeconds\":10"));

  set_status("observedGeneration: 1, desiredHealthy: 1, currentHealthy: 1");
  refused = evict("p");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, "TooManyRequests");
  EXPECT_EQ(doc::to_json(refused.error().details),
            R"({"causes":[{"reason":"DisruptionBudget","message":"The disruption budget b needs 1 healthy pods and )"
            R"(has 1 currently"}]})");
  EXPECT_EQ(pod("p"), "there");

  set_status("disruptionsAllowed: 1, currentHealthy: 2");
  EXPECT_TRUE(evict("p", "", true).has_value());
  EXPECT_TRUE(evict("p", ", deleteOptions: {dryRun: [All]}").has_value());
  EXPECT_EQ(of_budget("disruptionsAllowed"), "1") << "dry runs leave no trace";
  EXPECT_EQ(pod("p"), "there");
  ASSERT_TRUE(evict("p").has_value());
  EXPECT_EQ(pod("p"), "going");
  EXPECT_EQ(of_budget("disruptionsAllowed"), "0");
  EXPECT_THAT(of_budget("disruptedPods"), HasSubstr("\"p\":"));
  EXPECT_THAT(of_budget("conditions"), HasSubstr("InsufficientPods"));
  const auto marked = api_.get(api_.target("v1", "Pod", "p"));
  EXPECT_THAT(doc::to_json(**marked), HasSubstr("EvictionByEvictionAPI"));
}

TEST_F(EvictionTest, NeedsNoBudgetForWhatIsNoDisruption) {
  set_status("observedGeneration: 1, desiredHealthy: 1");
  struct Row {
    const char* name;
    const char* phase;
    const char* ready;
    const char* status;
    bool evicted;
  };
  const Row rows[] = {
      {"pending", "Pending", "False", "currentHealthy: 0", true},
      {"succeeded", "Succeeded", "False", "currentHealthy: 0", true},
      {"failed", "Failed", "False", "currentHealthy: 0", true},
      {"unhealthy-and-missed", "Running", "False", "currentHealthy: 0", false},
      {"unhealthy-and-not-missed", "Running", "False", "currentHealthy: 1", true},
      {"healthy", "Running", "True", "currentHealthy: 1", false},
  };
  for (const Row& row : rows) {
    make_pod(row.name, row.phase, row.ready);
    set_status(row.status);
    EXPECT_EQ(evict(row.name).has_value(), row.evicted) << row.name;
  }
  EXPECT_EQ(of_budget("disruptedPods"), "none");
}

TEST_F(EvictionTest, LetsUnhealthyPodsGoWhereTheBudgetSaysSo) {
  const auto changed = api_.patch(api_.target("policy/v1", "PodDisruptionBudget", "b"), cluster::PatchType::kMerge,
                                  "{spec: {unhealthyPodEvictionPolicy: AlwaysAllow}}");
  ASSERT_TRUE(changed.has_value());
  make_pod("p", "Running", "False");
  EXPECT_TRUE(evict("p").has_value());
}

TEST_F(EvictionTest, IsRefused) {
  make_pod("p", "Pending", "False");
  EXPECT_EQ(evict("missing").error().code, 404U);
  const auto other = evict("p", ", deleteOptions: {preconditions: {uid: other}}");
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, 409U);
  EXPECT_THAT(other.error().message, HasSubstr("the UID in the precondition (other) does not match"));
  EXPECT_EQ(pod("p"), "there");
  for (const char* body : {"{kind: Eviction, metadata: {name: q}}", "{kind: Pod, metadata: {name: p}}", "{}"}) {
    EXPECT_EQ(check_eviction(parse_one(body), "p").error().code, 400U) << body;
  }
  EXPECT_TRUE(check_eviction(parse_one("{apiVersion: policy/v1beta1, kind: Eviction, metadata: {name: p}}"), "p"));

  ASSERT_TRUE(api_.create(budget("second", "minAvailable: 0")).has_value());
  make_pod("two", "Running", "True");
  EXPECT_EQ(evict("two").error().message,
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
}

}  // namespace
}  // namespace tiphys::objects

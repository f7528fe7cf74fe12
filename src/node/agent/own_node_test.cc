#include "node/agent/own_node.h"

#include <gtest/gtest.h>

#include "doc/patch.h"

namespace tiphys::node {
namespace {

struct RefusalCase {
  const char* name;
  const char* node_spec;
  const char* tolerations;
  const char* reason;  ///< "": none
  friend std::ostream& operator<<(std::ostream& out, const RefusalCase& row) { return out << row.name; }
};

class Refusals : public ::testing::TestWithParam<RefusalCase> {};

TEST_P(Refusals, AreWordedAsTheSchedulers) {
  const RefusalCase& row = GetParam();
  const doc::Value node = doc::Object{{"spec", doc::parse_json(row.node_spec).value()}};
  const doc::Value pod = doc::Object{{"spec", doc::Object{{"tolerations", doc::parse_json(row.tolerations).value()}}}};
  const std::string reason = row.reason;
  const std::string expected = reason.empty() ? ""
                                              : "0/1 nodes are available: 1 " + reason +
                                                    ". no new claims to deallocate, preemption: 0/1 nodes are "
                                                    "available: 1 Preemption is not helpful for scheduling.";
  EXPECT_EQ(why_unschedulable(node, pod), expected);
}

constexpr const char* kCordoned = R"({"unschedulable":true})";
constexpr const char* kTainted = R"({"taints":[{"key":"a","value":"b","effect":"NoSchedule"}]})";

INSTANTIATE_TEST_SUITE_P(
    All, Refusals,
    ::testing::Values(
        RefusalCase{"AnOrdinaryNodeTakesAll", "{}", "[]", ""},
        RefusalCase{"ACordonedOneTakesNone", kCordoned, "[]", "node(s) were unschedulable"},
        RefusalCase{"ButThoseThatTolerateIt", kCordoned,
                    R"([{"key":"node.kubernetes.io/unschedulable","operator":"Exists","effect":"NoSchedule"}])", ""},
        RefusalCase{"OrTolerateAll", kCordoned, R"([{"operator":"Exists"}])", ""},
        RefusalCase{"TheFirstFilterTells", R"({"unschedulable":true,"taints":[{"key":"a","effect":"NoSchedule"}]})",
                    "[]", "node(s) were unschedulable"},
        RefusalCase{"UncordonedItTakesAll", R"({"unschedulable":false})", "[]", ""},
        RefusalCase{"ATaintKeepsAway", kTainted, "[]", "node(s) had untolerated taint {a: b}"},
        RefusalCase{"UnlessItIsTolerated", kTainted, R"([{"key":"a","value":"b"}])", ""},
        RefusalCase{"SoDoesOneThatDrivesOut", R"({"taints":[{"key":"a","effect":"NoExecute"}]})", "[]",
                    "node(s) had untolerated taint {a: }"},
        RefusalCase{"ASoftTaintKeepsNoneAway", R"({"taints":[{"key":"a","effect":"PreferNoSchedule"}]})", "[]", ""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(UnschedulablePatch, IsWrittenOnce) {
  doc::Value pod = doc::Object();
  const Time now = parse_rfc3339("2026-01-31T12:00:00Z").value();
  const auto patch = unschedulable_patch(pod, "no room", now);
  ASSERT_TRUE(patch);
  EXPECT_EQ(doc::to_json(*doc::find(*patch, "status", "conditions")),
            R"([{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"no room",)"
            R"("lastProbeTime":null,"lastTransitionTime":"2026-01-31T12:00:00Z"}])");
  ASSERT_TRUE(doc::apply_merge_patch(pod, *patch));
  EXPECT_FALSE(unschedulable_patch(pod, "no room", Time{}));
  EXPECT_TRUE(unschedulable_patch(pod, "another reason", Time{}));
}

}  // namespace
}  // namespace tiphys::node

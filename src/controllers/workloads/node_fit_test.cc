#include "controllers/workloads/node_fit.h"

#include <gtest/gtest.h>

#include "controllers/workloads/fields.h"
#include "doc/yaml.h"

namespace tiphys::controllers::workloads {
namespace {

doc::Value yaml(const std::string& text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents && documents->size() == 1) << text;
  return std::move(documents->front().root);
}

struct FitCase {
  const char* name;
  const char* taints;
  const char* pod_spec;
  bool runs, stays;
};

class NodeFitTest : public testing::TestWithParam<FitCase> {};

TEST_P(NodeFitTest, Says) {
  const FitCase& one = GetParam();
  const doc::Value node =
      yaml(std::string("{metadata: {name: here, labels: {disk: ssd, size: '8'}}, spec: {taints: ") + one.taints + "}}");
  const NodeFit fit = node_fit(node, yaml(one.pod_spec));
  EXPECT_EQ(fit.runs, one.runs);
  EXPECT_EQ(fit.stays, one.stays);
}

#define TERM(text) \
  "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [" text "]}}}}"

INSTANTIATE_TEST_SUITE_P(
    All, NodeFitTest,
    testing::Values(
        FitCase{"Plain", "[]", "{}", true, true}, FitCase{"ItsName", "[]", "{nodeName: here}", true, true},
        FitCase{"AnotherName", "[]", "{nodeName: there}", false, false},
        FitCase{"ItsLabel", "[]", "{nodeSelector: {disk: ssd}}", true, true},
        FitCase{"AnotherLabel", "[]", "{nodeSelector: {disk: ssd, rack: a}}", false, false},
        FitCase{"In", "[]", TERM("{matchExpressions: [{key: disk, operator: In, values: [hdd, ssd]}]}"), true, true},
        FitCase{"NotIn", "[]", TERM("{matchExpressions: [{key: disk, operator: NotIn, values: [ssd]}]}"), false, false},
        FitCase{"NotInOfNone", "[]", TERM("{matchExpressions: [{key: x, operator: NotIn, values: [ssd]}]}"), true,
                true},
        FitCase{"Exists", "[]", TERM("{matchExpressions: [{key: x, operator: Exists}]}"), false, false},
        FitCase{"DoesNotExist", "[]", TERM("{matchExpressions: [{key: x, operator: DoesNotExist}]}"), true, true},
        FitCase{"Gt", "[]", TERM("{matchExpressions: [{key: size, operator: Gt, values: ['7']}]}"), true, true},
        FitCase{"Lt", "[]", TERM("{matchExpressions: [{key: size, operator: Lt, values: ['8']}]}"), false, false},
        FitCase{"NoNumber", "[]", TERM("{matchExpressions: [{key: disk, operator: Gt, values: ['7']}]}"), false, false},
        FitCase{"Field", "[]", TERM("{matchFields: [{key: metadata.name, operator: In, values: [here]}]}"), true, true},
        FitCase{"AnyTermWillDo", "[]",
                TERM("{matchFields: [{key: metadata.name, operator: In, values: [there]}]}, {matchExpressions: [{key: "
                     "disk, operator: Exists}]}"),
                true, true},
        FitCase{"AnEmptyTerm", "[]", TERM("{}"), false, false},
        FitCase{"Taint", "[{key: a, value: b, effect: NoSchedule}]", "{}", false, true},
        FitCase{"HardTaint", "[{key: a, value: b, effect: NoExecute}]", "{}", false, false},
        FitCase{"SoftTaint", "[{key: a, value: b, effect: PreferNoSchedule}]", "{}", true, true},
        FitCase{"ToleratedByValue", "[{key: a, value: b, effect: NoSchedule}]", "{tolerations: [{key: a, value: b}]}",
                true, true},
        FitCase{"AnotherValue", "[{key: a, value: b, effect: NoSchedule}]", "{tolerations: [{key: a, value: c}]}",
                false, true},
        FitCase{"AnotherEffect", "[{key: a, value: b, effect: NoExecute}]",
                "{tolerations: [{key: a, operator: Exists, effect: NoSchedule}]}", false, false},
        FitCase{"AllTolerated", "[{key: a, effect: NoExecute}]", "{tolerations: [{operator: Exists}]}", true, true},
        FitCase{"Cordoned", "[{key: node.kubernetes.io/unschedulable, effect: NoSchedule}]", "{}", true, true},
        FitCase{"NoNetwork", "[{key: node.kubernetes.io/network-unavailable, effect: NoSchedule}]", "{}", false, true},
        FitCase{"NoNetworkOfItsOwn", "[{key: node.kubernetes.io/network-unavailable, effect: NoSchedule}]",
                "{hostNetwork: true}", true, true}),
    [](const auto& info) { return info.param.name; });

TEST(BindToNode, NamesTheNodeAndKeepsTheRest) {
  doc::Value pod =
      yaml(R"({spec: {tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute}],
      affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1}]}}}})");
  EXPECT_EQ(target_node(pod), "");
  bind_to_node(doc::ensure_object(pod.as_object(), "spec"), "here");
  EXPECT_EQ(target_node(pod), "here");
  EXPECT_EQ(list_at(pod, "spec", "tolerations").size(), 6U) << "none twice";
  EXPECT_EQ(list_at(pod, "spec", "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution").size(),
            1U);
  doc::ensure_object(pod.as_object(), "spec")["nodeName"] = "there";
  EXPECT_EQ(target_node(pod), "there");
}

}  // namespace
}  // namespace tiphys::controllers::workloads

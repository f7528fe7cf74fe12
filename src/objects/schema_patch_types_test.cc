#include "objects/schema_patch_types.h"

#include <gtest/gtest.h>

#include "doc/patch.h"

namespace tiphys::objects {
namespace {

TEST(SchemaPatchTypes, KnowHowListsMerge) {
  struct Row {
    const char* type;
    const char* field;
    bool merges;
    const char* key;
  };
  constexpr Row rows[] = {
      {"io.k8s.api.core.v1.PodSpec", "containers", true, "name"},
      {"io.k8s.api.core.v1.PodSpec", "tolerations", false, ""},
      {"io.k8s.api.core.v1.Container", "ports", true, "containerPort"},
      {"io.k8s.api.core.v1.Container", "args", false, ""},
      {"io.k8s.api.apps.v1.DeploymentStatus", "conditions", true, "type"},
      {"io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "finalizers", true, ""},
  };
  for (const Row& row : rows) {
    const auto field = schema_patch_types().find(row.type, row.field);
    ASSERT_TRUE(field) << row.field;
    EXPECT_TRUE(field->list) << row.field;
    EXPECT_EQ(field->merges, row.merges) << row.field;
    EXPECT_EQ(field->key, row.key) << row.field;
  }
  EXPECT_FALSE(schema_patch_types().find("io.k8s.api.policy.v1.PodDisruptionBudgetSpec", "selector")->merges);
  EXPECT_TRUE(schema_patch_types().find("io.k8s.api.apps.v1.DeploymentSpec", "selector")->merges);
  EXPECT_FALSE(schema_patch_types().find("io.k8s.api.core.v1.PodSpec", "nodeName")) << "no object and no list";
  EXPECT_FALSE(schema_patch_types().knows("io.k8s.api.core.v1.Nothing"));
}

TEST(SchemaPatchTypes, ReachThroughADeployment) {
  doc::Value deployment = *doc::parse_json(R"({"spec": {"template": {"metadata": {"labels": {"a": "b"}},
      "spec": {"containers": [{"name": "x", "image": "x:1"}, {"name": "y", "env": [{"name": "A", "value": "1"}]}]}}}})");
  const auto patch = doc::parse_json(R"({"spec": {"template": {"metadata": {"labels": {"c": "d"}}, "spec": {
      "containers": [{"name": "y", "env": [{"name": "B", "value": "2"}]}]}}}})");
  ASSERT_TRUE(
      doc::apply_strategic_merge_patch(deployment, *patch, "io.k8s.api.apps.v1.Deployment", schema_patch_types()));
  EXPECT_EQ(
      doc::to_json(deployment),
      R"({"spec":{"template":{"metadata":{"labels":{"a":"b","c":"d"}},"spec":{"containers":[)"
      R"({"name":"x","image":"x:1"},{"name":"y","env":[{"name":"B","value":"2"},{"name":"A","value":"1"}]}]}}}})");
}

}  // namespace
}  // namespace tiphys::objects

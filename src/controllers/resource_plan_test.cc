#include "controllers/resource_plan.h"

#include <gtest/gtest.h>

#include "doc/yaml.h"

namespace tiphys::controllers {
namespace {

ActionRequest request_with(std::string_view resource) {
  auto documents = doc::parse_yaml(resource, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << documents.error().message;
  ActionRequest request{"argo", "wf", "uid-1", {"wf-7", "wf.a", nullptr}};
  request.run.template_document = std::make_shared<const doc::Value>(std::move(documents->front().root));
  return request;
}

TEST(ResourcePlan, ManifestGetsNamespaceOwnerAndADeterministicName) {
  const ActionRequest request = request_with(R"(
resource:
  action: create
  setOwnerReference: true
  manifest: |
    apiVersion: v1
    kind: ConfigMap
    metadata: {generateName: owned-}
    data: {a: b}
)");
  const auto plan = plan_resource(request);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_EQ(plan->targets.at(0).key.resource, &cluster::kConfigMaps);
  EXPECT_EQ(plan->targets.at(0).key.ns, "argo");
  EXPECT_TRUE(plan->targets.at(0).key.name.starts_with("owned-"));
  EXPECT_EQ(plan->targets.at(0).key.name.size(), std::string_view("owned-").size() + 5);
  EXPECT_EQ(plan_resource(request)->targets.at(0).key.name, plan->targets.at(0).key.name);
  EXPECT_EQ(doc::find_string(plan->targets.at(0).manifest.at("metadata").at("ownerReferences").at(0), "uid"), "uid-1");
}

TEST(ResourcePlan, ManifestsOwnNamespaceStays) {
  const auto plan = plan_resource(request_with(R"(
resource: {action: get, manifest: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: other}}"}
)"));
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_EQ(plan->targets.at(0).key.ns, "other");
}

TEST(ResourcePlan, FlagsNameTheObjectWhereTheManifestDoesNot) {
  for (const std::string_view flags :
       {"[configmap, a, -n, other]", "[cm/a, --namespace=other]", "[configmaps, a, '-n other']"}) {
    const auto plan =
        plan_resource(request_with("resource: {action: patch, mergeStrategy: merge, manifest: 'data: {x: y}', flags: " +
                                   std::string(flags) + "}"));
    ASSERT_TRUE(plan.has_value()) << flags << ": " << plan.error().message;
    EXPECT_EQ(plan->targets.at(0).key.resource, &cluster::kConfigMaps);
    EXPECT_EQ(plan->targets.at(0).key.name, "a");
    EXPECT_EQ(plan->targets.at(0).key.ns, "other");
    EXPECT_EQ(plan->patch_type, cluster::PatchType::kMerge);
  }
}

TEST(ResourcePlan, ObjectsOfOneManifestHaveNamesOfTheirOwn) {
  const auto plan = plan_resource(request_with(R"(
resource:
  action: create
  manifest: |
    {apiVersion: v1, kind: ConfigMap, metadata: {generateName: a-}}
    ---
    ---
    {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {generateName: a-}},
                                         {apiVersion: v1, kind: Secret, metadata: {name: b}}]}
)"));
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  ASSERT_EQ(plan->targets.size(), 3U);
  EXPECT_NE(plan->targets[0].key.name, plan->targets[1].key.name);
  EXPECT_EQ(plan->targets[2].key.resource, &cluster::kSecrets);
}

TEST(ResourcePlan, AnOwnerIsOfTheFirstDocumentWhichIsAllThatIsTaken) {
  const auto plan = plan_resource(request_with(R"(
resource:
  action: create
  setOwnerReference: true
  manifest: |
    {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
    ---
    {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
)"));
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  ASSERT_EQ(plan->targets.size(), 1U);
  EXPECT_EQ(plan->targets[0].key.name, "a");
}

struct Row {
  std::string name;
  std::string resource;
  std::string error;
};

class BadResource : public testing::TestWithParam<Row> {};

TEST_P(BadResource, IsRefusedInTheOriginalsWords) {
  const auto plan = plan_resource(request_with(GetParam().resource));
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().message, GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, BadResource,
    testing::Values(
        Row{"NeitherManifestNorFlags", "resource: {action: get}", "Must provide at least one of flags or manifest."},
        Row{"UnknownAction", "resource: {action: destroy, manifest: x}",
            "no more retries error: unknown command \"destroy\" for \"kubectl\""},
        Row{"UnknownKind",
            "resource: {action: create, manifest: '{apiVersion: acme.io/v1, kind: Thing, metadata: {name: a}}'}",
            "no more retries error: resource mapping not found for name: \"a\" namespace: \"\" from "
            "\"/tmp/manifest.yaml\": no matches for kind \"Thing\" in version \"acme.io/v1\"\nensure CRDs are "
            "installed "
            "first"},
        Row{"NoKind", "resource: {action: create, manifest: '{apiVersion: v1, metadata: {name: a}}'}",
            "no more retries error: error validating \"/tmp/manifest.yaml\": error validating data: kind not set; if "
            "you "
            "choose to ignore these errors, turn validation off with --validate=false"},
        Row{"NoName", "resource: {action: apply, manifest: '{apiVersion: v1, kind: ConfigMap}'}",
            "no more retries error: resource name may not be empty"},
        Row{"UnknownTypeInFlags", "resource: {action: get, flags: [gizmo, a]}",
            "no more retries error: the server doesn't have a resource type \"gizmo\""},
        Row{"AnEmptyList", "resource: {action: create, manifest: '{apiVersion: v1, kind: List, items: []}'}",
            "no more retries error: no objects passed"},
        Row{"ASelectorToGet", "resource: {action: get, flags: [cm, -l, a=b]}",
            "Kind and name are both required but at least one of them is missing from the manifest"},
        Row{"ASelectorBesideAName", "resource: {action: delete, flags: [cm, a, -l, a=b]}",
            "no more retries error: name cannot be provided when a selector is specified"},
        Row{"ATypeBesideOneInAName", "resource: {action: delete, flags: [cm, secret/a]}",
            "resource.flags: there is no need to specify a resource type as a separate argument when passing arguments "
            "in resource/name form"},
        Row{"FlagThatIsNotSupported", "resource: {action: get, flags: [cm, a, --watch]}",
            "resource.flags: --watch is not supported yet: it does not end"},
        Row{"DeleteAwaitsNothing",
            "resource: {action: delete, successCondition: a=b, manifest: '{apiVersion: v1, kind: ConfigMap, metadata: "
            "{name: a}}'}",
            "successCondition, failureCondition and outputs are not supported for delete action"},
        Row{"UnknownMergeStrategy", "resource: {action: patch, mergeStrategy: magic, manifest: '{}', flags: [cm, a]}",
            "no more retries error: --type must be one of [json merge strategic], not \"magic\""},
        Row{"UnknownTypeOfPatch", "resource: {action: patch, manifest: '{}', flags: [cm, a, --type=magic]}",
            "no more retries error: --type must be one of [json merge strategic], not \"magic\""}),
    [](const auto& row) { return row.param.name; });

TEST(ResourceConditions, AreSplitIntoRequirements) {
  const std::vector<std::string> expected{"status.failed>3", "status.phase in (a, b)", "!status.x"};
  EXPECT_EQ(condition_requirements("status.failed > 3, status.phase in (a, b),!status.x"), expected);
  EXPECT_TRUE(condition_requirements(" ").empty());
}

TEST(KubectlErrors, NameReasonAndManifest) {
  const Error error{Code::kAlreadyExists, "configmaps \"a\" already exists"};
  EXPECT_EQ(kubectl_error(error, "creating").message,
            "Error from server (AlreadyExists): error when creating \"/tmp/manifest.yaml\": configmaps "
            "\"a\" already exists");
}

}  // namespace
}  // namespace tiphys::controllers

// Templates of other objects, as status.storedTemplates holds them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

constexpr std::string_view kLibrary = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - name: far
        templateRef: {name: lib, template: group}
        hooks: {exit: {templateRef: {name: all, template: bye, clusterScope: true}}}
      - {name: near, template: leaf}
  - {name: leaf, container: {image: here}}
status:
  storedTemplates:
    namespaced/lib/group:
      name: group
      dag:
        tasks:
        - {name: own, template: leaf}
        - {name: inner, inline: {steps: [[{name: deep, template: leaf}]]}}
    namespaced/lib/leaf: {name: leaf, retryStrategy: {limit: 1}, container: {image: there}}
    cluster/all/bye: {name: bye, container: {image: bye}}
)";

std::string ref_of(const api::NodeStatus& node) {
  return node.template_ref ? node.template_ref->key() : "-";
}

std::string image(const FakeWorld& world, std::string_view node_name) {
  for (const CreatePod& pod : world.created) {
    if (pod.node_name == node_name) {
      return std::string(doc::find_string(*pod.template_document, "container", "image")) + " " + pod.pod_name;
    }
  }
  return "no pod";
}

void expect_scopes(const FakeWorld& world) {
  struct Case {
    const char* node;
    const char* name;
    const char* ref;
    const char* scope;
  };
  for (const auto& [name, template_name, ref, scope] : {
           Case{"wf", "main", "-", "local/wf"},
           Case{"wf[0]", "", "-", "local/wf"},
           Case{"wf[0].far", "", "namespaced/lib/group", "local/wf"},
           Case{"wf[0].far.own", "leaf", "-", "namespaced/lib"},
           Case{"wf[0].far.own(0)", "leaf", "-", "namespaced/lib"},
           Case{"wf[0].far.inner", "", "-", "namespaced/lib"},
           Case{"wf[0].far.inner[0].deep", "leaf", "-", "namespaced/lib"},
           Case{"wf[0].far.onExit", "", "cluster/all/bye", "local/wf"},
           Case{"wf[0].near", "leaf", "-", "local/wf"},
       }) {
    const api::NodeStatus node = world.node(name);
    EXPECT_EQ(node.template_name, template_name) << name;
    EXPECT_EQ(ref_of(node), ref) << name;
    EXPECT_EQ(node.template_scope, scope) << name;
  }
}

TEST(TemplateRef, NamesAreLookedUpWhereTheyAreWritten) {
  FakeWorld world(kLibrary);
  world.play();
  EXPECT_EQ(phase_name(world.run->status().phase), "Succeeded");
  expect_scopes(world);
  EXPECT_THAT(image(world, "wf[0].far.own(0)"), testing::StartsWith("there wf-leaf-"));
  EXPECT_THAT(image(world, "wf[0].far.inner[0].deep(0)"), testing::StartsWith("there wf-leaf-"));
  EXPECT_THAT(image(world, "wf[0].far.onExit"), testing::StartsWith("bye wf-bye-"));
  EXPECT_THAT(image(world, "wf[0].near"), testing::StartsWith("here wf-leaf-"));
}

TEST(TemplateRef, ARestoredRunKnowsThemAgain) {
  FakeWorld world(kLibrary);
  world.apply(Started{});
  do {
    world.crash();
  } while (world.step());
  EXPECT_EQ(phase_name(world.run->status().phase), "Succeeded");
  expect_scopes(world);
}

TEST(TemplateRef, ReadersSeeTheReference) {
  FakeWorld world(kLibrary);
  world.play();
  const std::string json = api::to_json(world.node("wf[0].far.onExit"));
  EXPECT_THAT(json,
              testing::HasSubstr(
                  R"("templateRef":{"name":"all","template":"bye","clusterScope":true},"templateScope":"local/wf")"));
  EXPECT_EQ(ref_of(*api::parse_node_status(json)), "cluster/all/bye");
}

TEST(TemplateRef, OneThatIsNotStoredIsAnError) {
  FakeWorld world(R"({apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: wf}, spec: {entrypoint: m,
      templates: [{name: m, dag: {tasks: [{name: a, templateRef: {name: lib, template: t}}]}}]}})");
  world.play();
  EXPECT_EQ(world.node("wf.a").message, "task 'wf.a' errored: template t not found in workflow template lib");
  EXPECT_TRUE(world.run->status().finished());
}

TEST(TemplateDefaults, AreInEveryTemplate) {
  FakeWorld world(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templateDefaults: {container: {image: usual}, retryStrategy: {limit: 1}}
  templates:
  - name: main
    retryStrategy: {limit: 0}
    dag:
      tasks:
      - {name: own, template: leaf}
      - {name: far, templateRef: {name: lib, template: leaf}}
      - {name: here, inline: {container: {command: [c]}}}
  - {name: leaf, container: {command: [c]}}
status:
  storedTemplates:
    namespaced/lib/leaf: {name: leaf, container: {image: special}}
)");
  world.play();
  EXPECT_THAT(image(world, "wf(0).own(0)"), testing::StartsWith("usual "));
  EXPECT_THAT(image(world, "wf(0).far(0)"), testing::StartsWith("special "));
  EXPECT_THAT(image(world, "wf(0).here(0)"), testing::StartsWith("usual "));
}

}  // namespace
}  // namespace tiphys::engine

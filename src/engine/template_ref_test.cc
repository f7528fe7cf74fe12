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

// ---- References with tags ----

constexpr std::string_view kShelf = R"(
kind: WorkflowTemplate
metadata: {name: shelf}
spec:
  podMetadata: {labels: {of: shelf}}
  templates:
  - name: one
    inputs: {parameters: [{name: p, default: none}]}
    container: {image: one, args: ["{{inputs.parameters.p}}"]}
  - name: two
    inputs: {parameters: [{name: p}]}
    steps: [[{name: deep, templateRef: {name: "{{inputs.parameters.p}}", template: far, clusterScope: true}}], [{name: own, template: one}]]
  - {name: lame, steps: [[{name: a, template: nowhere}]]}
)";
constexpr std::string_view kFar = R"(
kind: ClusterWorkflowTemplate
metadata: {name: all}
spec: {templates: [{name: far, container: {image: far}}]}
)";

std::string tagged(std::string_view templates) {
  return fmt::format(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
  arguments: {{parameters: [{{name: where, value: shelf}}]}}
  templates:
  {}
)",
                     templates);
}

const std::string kTagged = tagged(R"(
  - name: main
    dag:
      tasks:
      - {name: choose, template: say}
      - name: each
        depends: choose
        withItems: [{t: one, p: all}, {t: two, p: all}]
        templateRef: {name: "{{workflow.parameters.where}}", template: "{{item.t}}"}
        arguments: {parameters: [{name: p, value: "{{item.p}}"}]}
      - {name: chosen, depends: choose, templateRef: {name: shelf, template: "{{tasks.choose.outputs.result}}"}}
      - {name: never, when: "1 == 2", templateRef: {name: "{{tasks.choose.outputs.result}}", template: x}}
  - {name: say, script: {image: i, command: [sh], source: s}}
)");

void stock(FakeWorld& world) {
  world.put(kShelf);
  world.put(kFar);
  world.ends["wf.choose"] = printing("one");
}

constexpr std::string_view kTaggedTree = R"(Succeeded
wf DAG Succeeded -> choose, never => chosen, each(0:p:all,t:one), own, never
wf.choose Pod Succeeded -> each, chosen
wf.never Skipped Skipped "when '1 == 2' evaluated false"
wf.each TaskGroup Succeeded -> each(0:p:all,t:one), each(1:p:all,t:two)
wf.each(0:p:all,t:one) Pod Succeeded
wf.each(1:p:all,t:two) Steps Succeeded -> [0] => own
wf.each(1:p:all,t:two)[0] StepGroup Succeeded -> deep
wf.chosen Pod Succeeded
wf.each(1:p:all,t:two)[0].deep Pod Succeeded -> [1]
wf.each(1:p:all,t:two)[1] StepGroup Succeeded -> own
wf.each(1:p:all,t:two)[1].own Pod Succeeded
)";

TEST(TaggedTemplateRef, IsLookedForOnceItIsKnown) {
  FakeWorld world(kTagged);
  stock(world);
  world.play();
  EXPECT_EQ(world.tree(), kTaggedTree);
  EXPECT_THAT(world.looked_for,
              testing::ElementsAre("namespaced/shelf/one", "namespaced/shelf/two", "cluster/all/far"));
  EXPECT_EQ(ref_of(world.node("wf.each(1:p:all,t:two)")), "namespaced/shelf/two");
  EXPECT_EQ(ref_of(world.node("wf.chosen")), "namespaced/shelf/one");
  EXPECT_EQ(ref_of(world.node("wf.never")), "namespaced/{{tasks.choose.outputs.result}}/x") << "as in the original";
  EXPECT_EQ(world.node("wf.each(1:p:all,t:two)[0].deep").template_scope, "namespaced/shelf");
  EXPECT_EQ(world.args("wf.each(0:p:all,t:one)"), R"(["all"])");
  const auto chosen = std::ranges::find(world.created, "wf.chosen", &CreatePod::node_name);
  ASSERT_NE(chosen, world.created.end());
  EXPECT_EQ(doc::find_string(*chosen->template_document, "metadata", "labels", "of"), "shelf");
}

TEST(TaggedTemplateRef, IsLookedForAgainAfterARestart) {
  FakeWorld world(kTagged);
  stock(world);
  world.apply(Started{});
  do {
    world.crash();
  } while (world.step());
  EXPECT_EQ(world.tree(), kTaggedTree);
  EXPECT_EQ(ref_of(world.node("wf.chosen")), "namespaced/shelf/one");
}

/// What comes after it in the manifest waited behind it.
TEST(TaggedTemplateRef, WhatWaitsForItIsStillTheFirstAfterARestart) {
  for (const bool crashes : {false, true}) {
    auto manifest = workflow_of(
        "{kind: Workflow, apiVersion: argoproj.io/v1alpha1, metadata: {name: wf}, spec: {entrypoint: main, "
        "parallelism: "
        "1, templates: [{name: main, dag: {tasks: [{name: a, template: ok}, {name: b, depends: a, templateRef: {name: "
        "'sh{{=\"elf\"}}', template: one}}, {name: c, template: ok}]}}, {name: ok, container: {image: i}}]}}");
    FakeWorld world(std::move(manifest));
    stock(world);
    world.apply(Started{});
    do {
      if (crashes && !world.run->status().finished()) world.crash();
    } while (world.step());
    std::vector<std::string> order;
    for (const CreatePod& pod : world.created) order.push_back(pod.node_name);
    EXPECT_THAT(order, testing::ElementsAre("wf.a", "wf.b", "wf.c"));
  }
}

TEST(TaggedTemplateRef, WhatIsStoredIsNotLookedFor) {
  FakeWorld world(kTagged);
  stock(world);
  world.play();
  world.library.clear();
  world.looked_for.clear();
  world.follow("other");
  EXPECT_EQ(phase_name(world.run->status().phase), "Succeeded");
  EXPECT_THAT(world.looked_for, testing::IsEmpty());
}

TEST(TaggedTemplateRef, WhatIsNotThereEndsItsNodeInError) {
  struct Case {
    const char* rule;
    const char* ref;
    const char* message;
  };
  for (const auto& [rule, ref, message] : {
           Case{"no such object", "{name: 'gone-{{workflow.name}}', template: one}",
                "workflow template gone-wf not found"},
           Case{"no such template", "{name: shelf, template: 'x-{{workflow.name}}'}",
                "template x-wf not found in workflow template shelf"},
           Case{"of another scope", "{name: '{{workflow.parameters.where}}', template: one, clusterScope: true}",
                "workflow template shelf not found"},
           Case{"a tag that stays", "{name: shelf, template: '{{pod.name}}'}",
                "template {{pod.name}} not found in workflow template shelf"},
           Case{"one that is not valid", "{name: '{{workflow.parameters.where}}', template: lame}",
                "template lame of workflow template shelf is invalid: templates.lame.steps[0].a: template name "
                "'nowhere' undefined"},
       }) {
    FakeWorld world(tagged(fmt::format("- {{name: main, steps: [[{{name: a, templateRef: {}}}]]}}", ref)));
    stock(world);
    world.play();
    EXPECT_EQ(world.node("wf[0].a").message, message) << rule;
    EXPECT_EQ(world.node("wf[0].a").phase, api::NodePhase::kError) << rule;
    EXPECT_TRUE(world.run->status().finished()) << rule;
  }
}

TEST(TaggedTemplateRef, ARetryWithOtherParametersKeepsWhatHasBegun) {
  const auto manifest = [](std::string_view p) {
    return tagged(
        fmt::format("- {{name: main, steps: [[{{name: a, templateRef: {{name: '{{{{workflow.parameters.where}}}}', "
                    "template: two}}, arguments: {{parameters: [{{name: p, value: {}}}]}}}}]]}}",
                    p));
  };
  FakeWorld world(manifest("all"));
  stock(world);
  world.ends["wf[0].a[0].deep"] = failing();
  world.play();
  EXPECT_EQ(phase_name(world.run->status().phase), "Failed");
  world.ends.clear();
  const api::StoredTemplates stored = world.manifest.stored_templates;
  world.manifest = workflow_of(manifest("everything"));
  world.manifest.stored_templates = stored;
  world.put(R"({kind: ClusterWorkflowTemplate, metadata: {name: everything}, spec: {templates: [
      {name: far, container: {image: other}}]}})");
  world.go_on({.other_parameters = true});
  while (world.step()) {
  }
  EXPECT_EQ(phase_name(world.run->status().phase), "Succeeded");
  EXPECT_EQ(ref_of(world.node("wf[0].a[0].deep")), "cluster/everything/far");
}

TEST(TaggedTemplateRef, ARunThatIsStoppedMeanwhileEnds) {
  FakeWorld world(
      tagged("- {name: main, steps: [[{name: a, templateRef: {name: '{{workflow.parameters.where}}', "
             "template: one}}]]}"));
  stock(world);
  world.apply(Started{});
  world.apply(ShutdownRequested{"Terminate", ""});
  while (world.step()) {
  }
  EXPECT_EQ(phase_name(world.run->status().phase), "Failed");
  EXPECT_EQ(world.run->status().message, "Stopped with strategy 'Terminate'");
  EXPECT_THAT(world.created, testing::IsEmpty());
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

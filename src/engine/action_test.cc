// http, data and plugin templates: what the plane does itself for a node.
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

constexpr std::string_view kRequests = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: good, template: web, arguments: {parameters: [{name: url, value: "http://good"}]}}
      - {name: bad, template: web, arguments: {parameters: [{name: url, value: "http://bad"}]}, continueOn: {failed: true}}
    - - {name: next, template: leaf, arguments: {parameters: [{name: text, value: "{{steps.good.outputs.result}}"}]}}
  - name: web
    inputs: {parameters: [{name: url}]}
    http: {url: "{{inputs.parameters.url}}"}
  - name: leaf
    inputs: {parameters: [{name: text}]}
    container: {image: i, args: ["{{inputs.parameters.text}}"]}
)";

std::string one(std::string_view tmpl, std::string_view spec = "") {
  return fmt::format(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
  {}
  templates:
  - {{name: main, {}}}
)",
                     spec, tmpl);
}

TEST(Plugin, RunsWhenItIsToldSoAndKeepsWhatItIsToldLast) {
  FakeWorld world(one("plugin: {x: {a: \"{{workflow.name}}\"}}"));
  world.apply(Started{});
  EXPECT_EQ(world.node("wf").type, api::NodeType::kPlugin);
  EXPECT_EQ(world.node("wf").phase, api::NodePhase::kPending);
  EXPECT_EQ(doc::find_string(*world.actions.at(0).template_document, "plugin", "x", "a"), "wf");
  ActionChanged change{world.actions.at(0).node_id, api::NodePhase::kRunning, "half", {}};
  world.apply(change);
  EXPECT_EQ(world.tree(), "Running\nwf Plugin Running \"half\"\n");
  change.phase = api::NodePhase::kSucceeded;
  change.message = "whole";
  change.outputs.emplace().result = "r";
  world.apply(change);
  EXPECT_EQ(world.tree(), "Succeeded\nwf Plugin Succeeded \"whole\"\n");
  EXPECT_EQ(world.node("wf").outputs->result, "r");
}

TEST(Plugin, EndsWithTheWorkflow) {
  FakeWorld world(one("plugin: {x: {}}"));
  world.apply(Started{});
  world.apply(ShutdownRequested{"Terminate", ""});
  EXPECT_EQ(world.node("wf").phase, api::NodePhase::kFailed);
}

TEST(Http, IsANodeWithoutAPod) {
  FakeWorld world(kRequests);
  world.apply(Started{});
  EXPECT_EQ(world.node("wf[0].good").phase, api::NodePhase::kPending);
  EXPECT_TRUE(world.created.empty());
  EXPECT_TRUE(world.actions.at(0).include_result);
  EXPECT_FALSE(world.actions.at(1).include_result);
  while (world.step()) {
  }
  EXPECT_EQ(world.tree(),
            "Succeeded\n"
            "wf Steps Succeeded -> [0] => next\n"
            "wf[0] StepGroup Succeeded -> good, bad\n"
            "wf[0].good HTTP Succeeded -> [1]\n"
            "wf[0].bad HTTP Failed \"received non-2xx response code: 500\" -> [1]\n"
            "wf[1] StepGroup Succeeded -> next\n"
            "wf[1].next Pod Succeeded\n");
  EXPECT_EQ(world.args("wf[1].next"), R"(["body"])");
  EXPECT_EQ(world.run->status().progress, "2/3");
  EXPECT_EQ(world.node("wf[0].bad").outputs->result, "body");
  EXPECT_FALSE(world.node("wf[0].bad").outputs->exit_code.has_value());
}

TEST(Http, IsTriedAgain) {
  FakeWorld world(one("retryStrategy: {limit: 1}, http: {url: \"http://bad\"}"));
  world.play();
  EXPECT_EQ(world.tree(),
            "Failed No more retries left\n"
            "wf Retry Failed \"No more retries left\" -> wf(0), wf(1)\n"
            "wf(0) HTTP Failed \"received non-2xx response code: 500\"\n"
            "wf(1) HTTP Failed \"received non-2xx response code: 500\"\n");
}

TEST(Http, WhatEndsItCancelsTheRequest) {
  struct Row {
    const char* name;
    std::string yaml;
    std::optional<Event> event;
    const char* message;
  };
  const std::string web = "http: {url: \"http://good\"}";
  for (const Row& row : {
           Row{"stop", one(web), ShutdownRequested{"Stop", ""}, "Stopped with strategy 'Stop'"},
           Row{"terminate", one(web), ShutdownRequested{"Terminate", ""}, "Stopped with strategy 'Terminate'"},
           Row{"the workflow's deadline", one(web, "activeDeadlineSeconds: 0"), std::nullopt,
               "Step exceeded its deadline"},
           Row{"its own timeout", one("timeout: 100ms, " + web), std::nullopt, "timeout"},
           Row{"the time that it may be pending", one("pendingTimeout: 100ms, " + web), std::nullopt, "timeout"},
       }) {
    FakeWorld world(row.yaml);
    world.apply(Started{});
    if (row.event) world.apply(*row.event);
    while (world.step()) {
    }
    EXPECT_EQ(world.node("wf").phase, api::NodePhase::kFailed) << row.name;
    EXPECT_EQ(world.node("wf").message, row.message) << row.name;
    EXPECT_EQ(world.stopped.size(), world.actions.size()) << row.name;
  }
}

TEST(Http, ARestoredRunAsksAgainAndKeepsItsTimeout) {
  FakeWorld world(one("timeout: 100ms, http: {url: \"http://good\"}"));
  world.apply(Started{});
  world.crash();
  EXPECT_EQ(world.actions.size(), 2U);
  while (world.step()) {
  }
  EXPECT_EQ(world.node("wf").message, "timeout");
}

TEST(Http, ItsResultIsMemoized) {
  FakeWorld world(one("memoize: {key: k, cache: {configMap: {name: c}}}, http: {url: \"http://good\"}"));
  world.play();
  EXPECT_EQ(world.cache.at("k").result, "body");
}

TEST(Data, IsAPodNodeWithoutAPod) {
  FakeWorld world(one("data: {source: {artifactPaths: {s3: {key: \"{{workflow.name}}/in\"}}}}"));
  world.play();
  EXPECT_EQ(world.tree(), "Succeeded\nwf Pod Succeeded\n");
  EXPECT_TRUE(world.created.empty());
  EXPECT_EQ(doc::find_string(*world.actions.at(0).template_document, "data", "source", "artifactPaths", "s3", "key"),
            "wf/in");
  EXPECT_EQ(world.node("wf").outputs->result, "[\"a\",\"b\"]");
}

}  // namespace
}  // namespace tiphys::engine

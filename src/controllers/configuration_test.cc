// What the controller's configuration does to workflows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/pod_rate.h"
#include "controllers/restrictions.h"
#include "controllers/testing.h"
#include "controllers/workflow_status.h"

namespace tiphys::controllers {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using ConfigurationTest = ControllersTest;

TEST_F(ConfigurationTest, SoManyWorkflowsAtATime) {
  start("parallelism: 2");
  for (const char* name : {"a", "b", "c", "d"}) submit(name);
  EXPECT_THAT(in_phase("Running"), ElementsAre("a", "b"));
  const doc::Value waiting = get("c");
  EXPECT_EQ(doc::find_string(waiting, "status", "message"), kPostponed);
  EXPECT_EQ(doc::find_string(waiting, "metadata", "labels", kCompletedLabel), "false");
  EXPECT_EQ(doc::find(waiting, "status", "startedAt"), nullptr);
  submit("urgent", "priority: 3, ");
  end("a");
  EXPECT_THAT(in_phase("Running"), ElementsAre("b", "urgent"));
  remove("b");
  EXPECT_THAT(in_phase("Running"), ElementsAre("c", "urgent"));
  EXPECT_EQ(doc::find(get("c"), "status", "message"), nullptr);
  remove("d");
  end("c");
  EXPECT_THAT(in_phase("Running"), ElementsAre("urgent"));
}

TEST_F(ConfigurationTest, SoManyWorkflowsOfANamespace) {
  start("namespaceParallelism: 1");
  create(cluster::kNamespaces, "{apiVersion: v1, kind: Namespace, metadata: {name: other}}");
  submit("a");
  submit("b");
  submit("c", "", "other");
  EXPECT_THAT(in_phase("Running"), ElementsAre("a", "c"));
  EXPECT_THAT(in_phase("Pending"), ElementsAre("b"));
}

TEST_F(ConfigurationTest, APriorityCountsAsItIsNow) {
  start("parallelism: 1");
  for (const char* name : {"a", "b", "c"}) submit(name);
  ASSERT_TRUE(
      store_->patch({&cluster::kWorkflows, "argo", "c"}, cluster::PatchType::kMerge, {{"spec", {{"priority", 1}}}}));
  store_->run();
  end("a");
  EXPECT_THAT(in_phase("Running"), ElementsAre("c"));
}

TEST_F(ConfigurationTest, WhatWaitsIsTerminatedAtOnceAndStoppedInItsTurn) {
  start("parallelism: 1");
  for (const char* name : {"a", "b", "c"}) submit(name);
  end("b", "Terminate");
  end("c", "Stop");
  EXPECT_THAT(in_phase("Failed"), ElementsAre("b"));
  EXPECT_THAT(in_phase("Pending"), ElementsAre("c"));
  end("a");
  EXPECT_THAT(in_phase("Failed"), ElementsAre("a", "b", "c"));
}

TEST_F(ConfigurationTest, ARestartKeepsWhatRunsAndWhatWaits) {
  start("parallelism: 2");
  for (const char* name : {"b", "c", "a", "d"}) submit(name);
  EXPECT_THAT(in_phase("Running"), ElementsAre("b", "c"));
  start("parallelism: 1");
  EXPECT_THAT(in_phase("Running"), ElementsAre("b", "c")) << "what has begun goes on";
  end("b");
  EXPECT_THAT(in_phase("Pending"), ElementsAre("a", "d"));
  end("c");
  EXPECT_THAT(in_phase("Pending"), ElementsAre("d")) << "of the same second the first by name, as they are told";
  start("");
  EXPECT_THAT(in_phase("Running"), ElementsAre("a", "d"));
  EXPECT_EQ(doc::find(get("d"), "status", "message"), nullptr);
  EXPECT_NE(doc::find(get("d"), "status", "startedAt"), nullptr);
}

TEST_F(ConfigurationTest, WhatCouldNotBePostponedIsLater) {
  start("parallelism: 1");
  submit("a");
  ASSERT_TRUE(store_->create(cluster::kWorkflows, yaml(workflow("b"))));
  failures_ = 2;
  store_->run();
  EXPECT_EQ(doc::find(get("b"), "status"), nullptr);
  pass(seconds(10));
  EXPECT_THAT(in_phase("Pending"), ElementsAre("b"));
}

TEST_F(ConfigurationTest, DefaultsAreWrittenIntoTheWorkflow) {
  const std::string_view config =
      "workflowDefaults: {metadata: {labels: {team: ml, mine: theirs}, annotations: {a: b}}, spec: {parallelism: 3, "
      "activeDeadlineSeconds: 60, entrypoint: other, ttlStrategy: {secondsAfterCompletion: 5}}}";
  start(config);
  submit("w", "parallelism: 1, ");
  const doc::Value begun = get("w");
  EXPECT_EQ(doc::find_string(begun, "metadata", "labels", "team"), "ml");
  EXPECT_EQ(doc::find_string(begun, "metadata", "annotations", "a"), "b");
  EXPECT_EQ(doc::find_string(begun, "spec", "entrypoint"), "main");
  EXPECT_EQ(doc::find(begun, "spec", "parallelism")->as_int64(), 1);
  start("");
  EXPECT_EQ(*doc::find(get("w"), "spec"), *doc::find(begun, "spec"));
  pass(seconds(61));
  EXPECT_THAT(in_phase("Failed"), ElementsAre("w")) << "the deadline of the defaults holds without them";
  pass(seconds(10));
  EXPECT_THAT(in_phase("Failed"), IsEmpty()) << "and so does their ttlStrategy";
}

TEST_F(ConfigurationTest, ATemplateGoesBeforeTheDefaults) {
  start("workflowDefaults: {metadata: {labels: {team: ml}}, spec: {parallelism: 3, onExit: bye, entrypoint: other}}");
  create(cluster::kWorkflowTemplates,
         "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: t, namespace: argo}, spec: "
         "{entrypoint: main, parallelism: 2, templates: [{name: main, suspend: {}}, {name: bye, suspend: {}}]}}");
  create(cluster::kWorkflows,
         "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: w, namespace: argo}, spec: "
         "{workflowTemplateRef: {name: t}}}");
  const doc::Value begun = get("w");
  EXPECT_EQ(doc::find_string(begun, "status", "phase"), "Running");
  EXPECT_EQ(doc::find_string(begun, "metadata", "labels", "team"), "ml");
  EXPECT_EQ(doc::to_json(*doc::find(begun, "spec")), R"({"workflowTemplateRef":{"name":"t"}})");
  const doc::Value* stored = doc::find(begun, "status", "storedWorkflowTemplateSpec");
  ASSERT_NE(stored, nullptr);
  EXPECT_EQ(doc::find_string(*stored, "entrypoint"), "main");
  EXPECT_EQ(doc::find_string(*stored, "onExit"), "bye");
  EXPECT_EQ(doc::find(*stored, "parallelism")->as_int64(), 2);
}

TEST_F(ConfigurationTest, AWorkflowBeginsAfterTheInitialDelay) {
  start("initialDelay: 3s");
  submit("w");
  pass(seconds(2));
  EXPECT_EQ(doc::find(get("w"), "status", "phase"), nullptr);
  pass(seconds(1));
  EXPECT_THAT(in_phase("Running"), ElementsAre("w"));
}

TEST_F(ConfigurationTest, SoManyThatHaveEndedAreKept) {
  start("retentionPolicy: {failed: 2}");
  for (const char* name : {"c", "b", "a"}) {
    submit(name);
    pass(seconds(1));
    end(name);
  }
  pass(seconds(1));
  EXPECT_THAT(in_phase("Failed"), ElementsAre("a", "b"));
  start("");
  for (const char* name : {"d", "e"}) {
    submit(name);
    pass(seconds(1));
    end(name);
  }
  EXPECT_THAT(in_phase("Failed"), ElementsAre("a", "b", "d", "e"));
  start("retentionPolicy: {failed: 1, completed: 5}");
  pass(seconds(1));
  EXPECT_THAT(in_phase("Failed"), ElementsAre("e"));
  start("retentionPolicy: {completed: 5}");
  pass(seconds(1));
  EXPECT_THAT(in_phase("Failed"), IsEmpty()) << "none is kept of what is not named, as in the original";
}

TEST_F(ConfigurationTest, MainContainersAndPodGcHaveTheirDefaults) {
  start(
      "mainContainer: {env: [{name: A, value: theirs}, {name: B, value: theirs}], imagePullPolicy: Never}\n"
      "podGCDeleteDelayDuration: 1m");
  create(cluster::kWorkflows,
         "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: w, namespace: argo}, spec: {entrypoint: "
         "main, podGC: {strategy: OnPodCompletion}, templates: [{name: main, container: {image: i, command: [c], env: "
         "[{name: A, value: mine}]}}]}}");
  const auto pods = store_->list(cluster::kPods);
  ASSERT_EQ(pods->items.size(), 1U);
  const doc::Value& container = pods->items[0]->at("spec").at("containers").at(0);
  EXPECT_EQ(doc::find_string(container, "imagePullPolicy"), "Never");
  EXPECT_EQ(doc::to_json(container.at("env").at(0)), R"({"name":"A","value":"mine"})");
  EXPECT_EQ(doc::to_json(container.at("env").at(1)), R"({"name":"B","value":"theirs"})");
  const std::string pod(doc::find_string(*pods->items[0], "metadata", "name"));
  ASSERT_TRUE(store_->patch({&cluster::kPods, "argo", pod}, cluster::PatchType::kMerge,
                            yaml("status: {phase: Succeeded, containerStatuses: [{name: main, state: {terminated: "
                                 "{exitCode: 0, reason: Completed}}}]}")));
  store_->run();
  EXPECT_THAT(in_phase("Succeeded"), ElementsAre("w"));
  pass(seconds(58));
  EXPECT_EQ(store_->list(cluster::kPods)->items.size(), 1U);
  pass(seconds(5));
  EXPECT_EQ(store_->list(cluster::kPods)->items.size(), 0U);
}

TEST_F(ConfigurationTest, ANamespaceMayHaveALimitOfItsOwn) {
  constexpr std::string_view kLabel = "workflows.argoproj.io/parallelism-limit";
  const auto label = [&](const char* ns, doc::Value limit) {
    ASSERT_TRUE(store_->patch({&cluster::kNamespaces, "", ns}, cluster::PatchType::kMerge,
                              {{"metadata", {{"labels", {{kLabel, std::move(limit)}}}}}}));
    store_->run();
  };
  for (const char* ns : {"argo", "other"}) {
    create(cluster::kNamespaces, fmt::format("{{apiVersion: v1, kind: Namespace, metadata: {{name: {}}}}}", ns));
  }
  label("argo", "2");
  start("namespaceParallelism: 1");
  for (const char* name : {"a", "b", "c", "d", "e"}) submit(name);
  for (const char* name : {"x", "z"}) submit(name, "", "other");
  EXPECT_THAT(in_phase("Running"), UnorderedElementsAre("a", "b", "x"));
  label("argo", "3");
  EXPECT_THAT(in_phase("Running"), UnorderedElementsAre("a", "b", "c", "x")) << "a change counts at once";
  label("argo", "many");
  end("a");
  EXPECT_THAT(in_phase("Running"), UnorderedElementsAre("b", "c", "d", "x")) << "what is no number changes nothing";
  label("argo", nullptr);
  end("b");
  end("c");
  EXPECT_THAT(in_phase("Running"), UnorderedElementsAre("d", "x")) << "what has begun goes on";
  end("d");
  EXPECT_THAT(in_phase("Running"), UnorderedElementsAre("e", "x"));
  label("other", "0");
  EXPECT_THAT(in_phase("Running"), UnorderedElementsAre("e", "x", "z")) << "no limit";
  submit("f");
  label("argo", "2");
  EXPECT_THAT(in_phase("Running"), UnorderedElementsAre("e", "f", "x", "z"));
  submit("g");
  start("namespaceParallelism: 9");
  EXPECT_THAT(in_phase("Running"), UnorderedElementsAre("e", "f", "x", "z")) << "known before anything begins";
  EXPECT_THAT(in_phase("Pending"), UnorderedElementsAre("g"));
}

TEST_F(ConfigurationTest, SoManyPodsAreCreatedASecond) {
  constexpr std::string_view kFanOut =
      "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: fan, namespace: argo}, spec: {entrypoint: "
      "main, templates: [{name: main, steps: [[{name: a, template: pod, withSequence: {count: 5}}]]}, {name: pod, "
      "container: {image: i, command: [c]}}]}}";
  const auto pods = [&] { return store_->list(cluster::kPods)->items.size(); };
  const auto held = [&] {
    std::size_t count = 0;
    const doc::Value workflow = get("fan");
    for (const auto& [id, node] : workflow.at("status").at("nodes").as_object()) {
      if (doc::find_string(node, "message") != kPodRateReached) continue;
      EXPECT_EQ(doc::find_string(node, "phase"), "Pending");
      ++count;
    }
    return count;
  };
  start("resourceRateLimit: {limit: 0.5, burst: 2}");
  create(cluster::kWorkflows, kFanOut);
  EXPECT_EQ(pods(), 2U) << "the burst";
  EXPECT_EQ(held(), 3U);
  pass(std::chrono::seconds(2));
  EXPECT_EQ(pods(), 3U);
  start("resourceRateLimit: {limit: 0.5, burst: 1}");
  EXPECT_EQ(pods(), 4U) << "a new controller begins with its burst";
  start("resourceRateLimit: {limit: 1000, burst: 1}");
  pass(std::chrono::seconds(1));
  EXPECT_EQ(pods(), 5U);
}

TEST_F(ConfigurationTest, APodThatWaitsIsNotCreatedOnceItsWorkflowHasEnded) {
  start("resourceRateLimit: {limit: 1, burst: 1}");
  const auto fan = [&](std::string_view name) {
    create(cluster::kWorkflows,
           fmt::format("{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: {}, namespace: argo}}, "
                       "spec: {{entrypoint: main, templates: [{{name: main, steps: [[{{name: a, template: pod}}, "
                       "{{name: b, template: pod}}]]}}, {{name: pod, container: {{image: i, command: [c]}}}}]}}}}",
                       name));
  };
  fan("first");
  fan("second");
  EXPECT_EQ(store_->list(cluster::kPods)->items.size(), 1U);
  end("first");
  pass(std::chrono::seconds(1));
  const auto pods = store_->list(cluster::kPods);
  ASSERT_EQ(pods->items.size(), 2U) << "it does not count";
  EXPECT_EQ(doc::find_string(*pods->items.back(), "metadata", "labels", kWorkflowLabel), "second");
}

TEST_F(ConfigurationTest, WorkflowsMayHaveToReferToTemplates) {
  const auto refer = [&](std::string_view name, std::string_view more) {
    create(cluster::kWorkflows,
           fmt::format("{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: {}, namespace: argo}}, "
                       "spec: {{workflowTemplateRef: {{name: t}}{}}}}}",
                       name, more));
  };
  const auto end = [&](const std::string& name) {
    const doc::Value workflow = get(name);
    const std::string text(doc::find_string(workflow, "status", "message"));
    remove(name);
    return fmt::format("{}: {}", doc::find_string(workflow, "status", "phase"), text);
  };
  create(cluster::kWorkflowTemplates,
         "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: t, namespace: argo}, spec: "
         "{entrypoint: main, templates: [{name: main, suspend: {}}]}}");
  for (const char* mode : {"Strict", "Secure"}) {
    start(fmt::format("workflowRestrictions: {{templateReferencing: {}}}", mode));
    submit("own");
    refer("good",
          ", priority: 3, arguments: {parameters: [{name: a, value: b}]}, podMetadata: {annotations: "
          "{tiphys.io/runtime: process}}");
    refer("bad",
          ", serviceAccountName: admin, dnsPolicy: Default, onExit: '', podMetadata: {labels: {a: b}}, "
          "artifactGC: {strategy: Never, serviceAccountName: admin}");
    EXPECT_EQ(end("own"),
              "Error: workflows must use workflowTemplateRef to be executed when the controller is in reference mode");
    EXPECT_EQ(
        end("bad"),
        "Error: fields [ArtifactGC.ServiceAccountName DNSPolicy PodMetadata ServiceAccountName] are not permitted "
        "when using workflowTemplateRef with templateReferencing restriction");
    start(fmt::format("workflowRestrictions: {{templateReferencing: {}}}", mode));
    EXPECT_EQ(end("good"), "Running: ");
  }
  start("workflowRestrictions: {}");
  submit("own");
  start("workflowRestrictions: {templateReferencing: Strict}");
  EXPECT_EQ(end("own"),
            "Error: workflows must use workflowTemplateRef to be executed when the controller is in reference mode")
      << "as the original, which looks at each turn";
}

TEST(Restrictions, MayBeRelaxed) {
  const doc::Value workflow = yaml("{spec: {workflowTemplateRef: {name: t}, hostNetwork: false, ttlStrategy: {}}}");
  const std::string allowed = "hostNetwork";
  EXPECT_TRUE(check_restrictions(workflow, std::span(&allowed, 1)));
  EXPECT_EQ(check_restrictions(workflow, {}).error().message,
            "fields [HostNetwork] are not permitted when using workflowTemplateRef with templateReferencing "
            "restriction");
}

}  // namespace
}  // namespace tiphys::controllers

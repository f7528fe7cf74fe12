// What Events tell of workflows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "controllers/event_recorder.h"
#include "controllers/testing.h"

namespace tiphys::controllers {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class EventsTest : public ControllersTest {
 protected:
  std::vector<cluster::Object> events() {
    auto list = store_->list(cluster::kEvents)->items;
    // Names end with the time in nanoseconds.
    std::ranges::sort(list, {}, [](const cluster::Object& event) {
      const std::string_view name = doc::find_string(*event, "metadata", "name");
      return std::string(name.substr(name.rfind('.')));
    });
    return list;
  }
  /// "Normal WorkflowRunning: Workflow Running", " x3" where it is told of more than once.
  std::vector<std::string> told() {
    std::vector<std::string> lines;
    for (const cluster::Object& event : events()) {
      const std::int64_t count = event->at("count").as_int64();
      lines.push_back(fmt::format("{} {}: {}{}", doc::find_string(*event, "type"), doc::find_string(*event, "reason"),
                                  doc::find_string(*event, "message"), count == 1 ? "" : fmt::format(" x{}", count)));
    }
    return lines;
  }
  void end_pod(int exit_code) {
    const auto pods = store_->list(cluster::kPods);
    const std::string name(doc::find_string(*pods->items.at(0), "metadata", "name"));
    ASSERT_TRUE(store_->patch({&cluster::kPods, "argo", name}, cluster::PatchType::kMerge,
                              yaml(fmt::format("status: {{phase: {}, containerStatuses: [{{name: main, state: "
                                               "{{terminated: {{exitCode: {}, reason: X}}}}}}]}}",
                                               exit_code == 0 ? "Succeeded" : "Failed", exit_code))));
    store_->run();
  }
  void submit_pod(std::string_view name, std::string_view spec = "") {
    create(cluster::kWorkflows,
           fmt::format(
               "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: {}, namespace: argo}}, "
               "spec: {{{}entrypoint: main, templates: [{{name: main, container: {{image: i, command: [c]}}}}]}}}}",
               name, spec));
  }
};

TEST_F(EventsTest, TellOfAWorkflowAndItsNodes) {
  start("");
  submit_pod("w");
  end_pod(0);
  EXPECT_THAT(
      told(),
      ElementsAre("Normal WorkflowRunning: Workflow Running", "Normal WorkflowNodeRunning: Running node w",
                  "Normal WorkflowNodeSucceeded: Succeeded node w", "Normal WorkflowSucceeded: Workflow completed"));
  const auto all = events();
  const doc::Value& node = *all.at(2);
  EXPECT_EQ(doc::find_string(node, "involvedObject", "kind"), "Workflow");
  EXPECT_EQ(doc::find_string(node, "involvedObject", "apiVersion"), "argoproj.io/v1alpha1");
  EXPECT_EQ(doc::find_string(node, "involvedObject", "uid"), doc::find_string(get("w"), "metadata", "uid"));
  EXPECT_EQ(doc::find_string(node, "source", "component"), "workflow-controller");
  EXPECT_EQ(doc::find_string(node, "metadata", "annotations", kNodeTypeAnnotation), "Pod");
  EXPECT_EQ(doc::find_string(node, "metadata", "annotations", kNodeNameAnnotation), "w");
}

TEST_F(EventsTest, TellWhyItFailed) {
  start("");
  submit_pod("w");
  end_pod(3);
  EXPECT_THAT(told(), ElementsAre("Normal WorkflowRunning: Workflow Running",
                                  "Normal WorkflowNodeRunning: Running node w: main: X (exit code 3)",
                                  "Warning WorkflowNodeFailed: Failed node w: main: X (exit code 3)",
                                  "Warning WorkflowFailed: main: X (exit code 3)"));
}

TEST_F(EventsTest, TellOfTheDeadline) {
  start("nodeEvents: {enabled: false}");
  submit("w", "activeDeadlineSeconds: 5, ");
  pass(seconds(6));
  ASSERT_EQ(told().size(), 3U);
  EXPECT_EQ(told()[1], "Warning WorkflowTimedOut: error in entry template execution: Deadline exceeded");
}

TEST_F(EventsTest, OfAWorkflowThatCannotBeRunTellOnlyThat) {
  start("");
  submit("w", "onExit: nobody, ");
  EXPECT_THAT(told(),
              ElementsAre("Warning WorkflowFailed: invalid spec: spec.onExit: template name 'nobody' undefined"));
}

TEST_F(EventsTest, AreSwitchedOff) {
  start("{nodeEvents: {enabled: false}, workflowEvents: {enabled: false}}");
  submit_pod("w");
  end_pod(0);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(EventsTest, AreAboutPodsIfSoConfigured) {
  start("{nodeEvents: {sendAsPod: true}, workflowEvents: {enabled: false}}");
  submit_pod("w");
  end_pod(0);
  const auto all = events();
  ASSERT_EQ(all.size(), 2U);
  for (const cluster::Object& event : all) {
    EXPECT_EQ(doc::find_string(*event, "involvedObject", "kind"), "Pod");
    EXPECT_EQ(doc::find_string(*event, "metadata", "annotations", kWorkflowNameAnnotation), "w");
    EXPECT_EQ(doc::find_string(*event, "metadata", "annotations", kWorkflowUidAnnotation),
              doc::find_string(get("w"), "metadata", "uid"));
  }
}

TEST_F(EventsTest, AreNotToldAgainAfterARestart) {
  start("");
  submit_pod("w");
  const auto before = told();
  start("");
  EXPECT_EQ(told(), before);
  end_pod(0);
  EXPECT_EQ(told().size(), before.size() + 2);
}

TEST_F(EventsTest, ManyThatAreAlikeBecomeOneAndAllGoAfterAnHour) {
  start("workflowEvents: {enabled: false}");
  create(cluster::kWorkflows,
         "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: w, namespace: argo}, spec: {entrypoint: "
         "main, templates: [{name: main, steps: [[{name: a, template: leaf, withSequence: {count: '30'}}]]}, {name: "
         "leaf, suspend: {}}]}}");
  const auto lines = told();
  ASSERT_EQ(lines.size(), 10U);
  EXPECT_EQ(lines[0], "Normal WorkflowNodeRunning: Running node w");
  EXPECT_EQ(lines[9], "Normal WorkflowNodeRunning: (combined from similar events): Running node w[0].a(29:29) x23");
  pass(minutes(59));
  EXPECT_EQ(told().size(), 10U);
  pass(minutes(2));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(EventsTest, AreCountedWhereTheyAreTheSame) {
  EventRecorder recorder(store_->executor(), store_->store());
  const EventSubject subject{&cluster::kWorkflows, "argo", "w", "u"};
  const auto record = [&](std::string message) {
    recorder.record(subject, {.reason = "R", .message = std::move(message)});
    recorder.write();
    store_->run();
  };
  for (int i = 0; i < 3; ++i) record("same");
  record("other");
  EXPECT_THAT(told(), ElementsAre("Normal R: same x3", "Normal R: other"));
  ASSERT_TRUE(
      store_->remove({&cluster::kEvents, "argo", std::string(doc::find_string(*events()[0], "metadata", "name"))}));
  record("same");
  EXPECT_THAT(told(), ElementsAre("Normal R: other")) << "one that has gone is missed";
  record("same");
  EXPECT_THAT(told(), ElementsAre("Normal R: same x5", "Normal R: other")) << "and comes again";
  pass(minutes(11));
  record("same");
  EXPECT_EQ(told().back(), "Normal R: same") << "after ten minutes of rest the count begins anew";
}

}  // namespace
}  // namespace tiphys::controllers

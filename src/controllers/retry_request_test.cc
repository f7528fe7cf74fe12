#include "controllers/retry_request.h"

#include <gtest/gtest.h>

#include "doc/yaml.h"

namespace tiphys::controllers {
namespace {

constexpr Time kNow = Time(std::chrono::seconds(1'700'000'000));

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << text;
  return std::move(documents->front().root);
}

TEST(RetryRequest, MakesAWorkflowReadyToGoOn) {
  doc::Value workflow = yaml(
      "metadata: {name: a, labels: {app: x, workflows.argoproj.io/completed: 'true', workflows.argoproj.io/phase: "
      "Failed, "
      "workflows.argoproj.io/workflow-archiving-status: Archived, tiphys.io/expires: 'true'}, annotations: "
      "{tiphys.io/node-requests: '[]', note: x}}\n"
      "spec: {shutdown: Stop, activeDeadlineSeconds: 0, suspend: true}\n"
      "status: {phase: Failed, message: no, startedAt: '2020-01-01T00:00:00Z', finishedAt: '2020-01-01T00:00:01Z', "
      "progress: 1/2, conditions: [{type: PodRunning, status: 'False'}, {type: Completed, status: 'True'}], "
      "storedWorkflowTemplateSpec: {shutdown: Stop, priority: 1}}\n");
  const Status asked = ask_for_retry(workflow, {.restarted = {"n1"}, .other_parameters = true}, false, kNow);
  ASSERT_TRUE(asked) << asked.error().message;
  EXPECT_TRUE(
      workflow ==
      yaml("metadata: {name: a, labels: {app: x, workflows.argoproj.io/phase: Failed}, annotations: {tiphys.io/retry: "
           "'{\"restart\":[\"n1\"],\"otherParameters\":true}', note: x}}\n"
           "spec: {suspend: true}\n"
           "status: {startedAt: '2023-11-14T22:13:20Z', progress: 1/2, conditions: [{type: PodRunning, status: "
           "'False'}, {type: Completed, status: 'False'}], storedWorkflowTemplateSpec: {priority: 1}}\n"))
      << doc::to_yaml(workflow);
  ASSERT_TRUE(retry_asked(workflow));
  const auto read = parse_retry_request(workflow);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->restarted, std::set<std::string>{"n1"});
  EXPECT_TRUE(read->other_parameters);
}

TEST(RetryRequest, OnlyWhatHasEndedGoesOn) {
  const auto refusal = [](std::string_view phase, bool chosen) {
    doc::Value workflow = yaml("metadata: {name: a}\nspec: {}\nstatus: {phase: " + std::string(phase) + "}\n");
    const Status asked = ask_for_retry(workflow, {}, chosen, kNow);
    return asked ? "" : asked.error().message;
  };
  EXPECT_EQ(refusal("Failed", false), "");
  EXPECT_EQ(refusal("Error", false), "");
  EXPECT_EQ(refusal("Running", true), "Cannot retry a workflow in phase Running");
  EXPECT_EQ(refusal("Succeeded", true), "");
  EXPECT_EQ(refusal("Succeeded", false),
            "To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector");
}

}  // namespace
}  // namespace tiphys::controllers

#include "controllers/pod_status.h"

#include <gtest/gtest.h>

#include "cluster/pod_annotations.h"

namespace tiphys::controllers {
namespace {

using Phase = engine::PodChanged::Phase;

struct Row {
  std::string name;
  std::string status;  ///< JSON of the pod's status
  Phase phase;
  std::string message;
};

doc::Value pod_with(std::string_view status) {
  auto parsed = doc::parse_json(status);
  EXPECT_TRUE(parsed.has_value()) << status;
  return doc::Object{{"metadata", doc::Object{{"name", "wf-main-1"},
                                              {"namespace", "argo"},
                                              {"annotations", doc::Object{{"workflows.argoproj.io/node-id", "wf-1"}}}}},
                     {"status", *parsed}};
}

class PodStatus : public testing::TestWithParam<Row> {};

TEST_P(PodStatus, IsReadAsTheOriginalReadsIt) {
  const engine::PodChanged change = read_pod(pod_with(GetParam().status));
  EXPECT_EQ(change.phase, GetParam().phase);
  EXPECT_EQ(change.message, GetParam().message);
  EXPECT_EQ(change.node_id, "wf-1");
}

INSTANTIATE_TEST_SUITE_P(
    Rules, PodStatus,
    testing::Values(
        Row{"NoStatusYetIsPending", "{}", Phase::kPending, ""},
        Row{"PendingTellsWhyAContainerWaits",
            R"({"phase":"Pending","containerStatuses":[{"name":"main","state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image \"x\""}}}]})",
            Phase::kPending, "ImagePullBackOff: Back-off pulling image \"x\""},
        Row{"PendingTellsAReasonWithoutMessage",
            R"({"phase":"Pending","containerStatuses":[{"name":"main","state":{"waiting":{"reason":"ContainerCreating"}}}]})",
            Phase::kPending, "ContainerCreating"},
        Row{"PendingTellsThatNoNodeTakesThePod",
            R"({"phase":"Pending","conditions":[{"type":"PodScheduled","reason":"Unschedulable","message":"0/3 nodes are available"}]})",
            Phase::kPending, "Unschedulable: 0/3 nodes are available"},
        Row{"RunningIsRunning", R"({"phase":"Running"})", Phase::kRunning, ""},
        Row{"SucceededIsSucceeded", R"({"phase":"Succeeded"})", Phase::kSucceeded, ""},
        Row{"PodMessageWins",
            R"({"phase":"Failed","message":"Pod was active on the node longer than the specified deadline","reason":"DeadlineExceeded","containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":137,"reason":"Error"}}}]})",
            Phase::kFailed, "Pod was active on the node longer than the specified deadline"},
        Row{"MainFails",
            R"({"phase":"Failed","containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":1,"reason":"Error"}}}]})",
            Phase::kFailed, "main: Error (exit code 1)"},
        Row{"MainFailsWithAMessage",
            R"({"phase":"Failed","containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":64,"reason":"Error","message":"no such file"}}}]})",
            Phase::kFailed, "main: Error (exit code 64): no such file"},
        Row{"MainIsOutOfMemory",
            R"({"phase":"Failed","containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]})",
            Phase::kFailed, "main: OOMKilled (exit code 137)"},
        Row{"MainCannotStart",
            R"({"phase":"Failed","containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":128,"reason":"StartError","message":"exec: \"nope\": executable file not found in $PATH"}}}]})",
            Phase::kFailed, "main: StartError (exit code 128): exec: \"nope\": executable file not found in $PATH"},
        Row{"ContainerThatNeverStartedIsAnError",
            R"({"phase":"Failed","containerStatuses":[{"name":"main","state":{"waiting":{"reason":"ImagePullBackOff","message":"no"}}}]})",
            Phase::kError, "Pod failed before main container starts due to ImagePullBackOff: no"},
        Row{"InitContainerIsBlamedFirst",
            R"({"phase":"Failed","initContainerStatuses":[{"name":"init","state":{"terminated":{"exitCode":1,"reason":"Error"}}}],"containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":2,"reason":"Error"}}}]})",
            Phase::kError, "init: Error (exit code 1)"},
        Row{"MainIsBlamedBeforeWaitAndSidecars",
            R"({"phase":"Failed","containerStatuses":[{"name":"helper","state":{"terminated":{"exitCode":3,"reason":"Error"}}},{"name":"wait","state":{"terminated":{"exitCode":64,"reason":"Error"}}},{"name":"main","state":{"terminated":{"exitCode":2,"reason":"Error"}}}]})",
            Phase::kFailed, "main: Error (exit code 2)"},
        Row{"FailedWaitIsAnError",
            R"({"phase":"Failed","containerStatuses":[{"name":"wait","state":{"terminated":{"exitCode":64,"reason":"Error","message":"artifact x failed to save"}}},{"name":"main","state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]})",
            Phase::kError, "wait: Error (exit code 64): artifact x failed to save"},
        Row{"SidecarFails",
            R"({"phase":"Failed","containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":0}}},{"name":"helper","state":{"terminated":{"exitCode":3,"reason":"Error"}}}]})",
            Phase::kFailed, "helper: Error (exit code 3)"},
        Row{"KilledSidecarIsNoFailure",
            R"({"phase":"Failed","containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":0}}},{"name":"helper","state":{"terminated":{"exitCode":137,"reason":"Error"}}}]})",
            Phase::kSucceeded, ""},
        Row{"FailedWithoutContainers", R"({"phase":"Failed"})", Phase::kFailed,
            "can't find failed message for pod wf-main-1 namespace argo"},
        Row{"FailedWithoutOutcomeOfMain",
            R"({"phase":"Failed","containerStatuses":[{"name":"main","state":{"running":{}}}]})", Phase::kFailed,
            "pod failed: neither main nor wait container completed successfully"},
        Row{"UnknownPhaseIsAnError", R"({"phase":"Unknown"})", Phase::kError,
            "Unexpected pod phase for wf-main-1: Unknown"}),
    [](const auto& row) { return row.param.name; });

TEST(PodStatusDetails, ExitCodeAndTimesComeFromTheContainers) {
  const engine::PodChanged change = read_pod(pod_with(
      R"({"phase":"Failed","podIP":"10.0.0.1","containerStatuses":[
        {"name":"main","state":{"terminated":{"exitCode":3,"reason":"Error","startedAt":"2026-01-01T00:00:05Z","finishedAt":"2026-01-01T00:00:09Z"}}},
        {"name":"helper","state":{"terminated":{"exitCode":0,"startedAt":"2026-01-01T00:00:04Z","finishedAt":"2026-01-01T00:00:08Z"}}}]})"));
  EXPECT_EQ(change.exit_code, 3);
  EXPECT_EQ(format_rfc3339(change.started_at), "2026-01-01T00:00:04Z");
  EXPECT_EQ(format_rfc3339(change.finished_at), "2026-01-01T00:00:09Z");
  EXPECT_EQ(change.pod_ip, "10.0.0.1");
}

TEST(PodStatusDetails, AnInitContainerThatKeepsRunningIsNotToBlame) {
  doc::Value pod = pod_with(
      R"({"phase":"Failed","initContainerStatuses":[{"name":"proxy","state":{"terminated":{"exitCode":7,"reason":"Error"}}}],
        "containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":3,"reason":"Error"}}}]})");
  pod.as_object()["spec"] = *doc::parse_json(R"({"initContainers":[{"name":"proxy","restartPolicy":"Always"}]})");
  EXPECT_EQ(read_pod(pod).message, "main: Error (exit code 3)");
}

doc::Value set_with(std::string_view status) {
  doc::Value pod = pod_with(status);
  pod.at("metadata").at("annotations").as_object()[cluster::kContainerSetAnnotation] = R"({"a":[],"b":["a"],"c":[]})";
  return pod;
}

TEST(PodStatusDetails, OfASetTheOneThatFailedByItselfIsToBlame) {
  const engine::PodChanged change = read_pod(set_with(
      R"({"phase":"Failed","containerStatuses":[
        {"name":"c","state":{"terminated":{"exitCode":143,"reason":"Error"}}},
        {"name":"b","state":{"terminated":{"exitCode":64,"reason":"Error","message":"dependency \"a\" exited with non-zero code: 3","finishedAt":"2026-01-01T00:00:09Z"}}},
        {"name":"a","state":{"terminated":{"exitCode":3,"reason":"Error"}}},
        {"name":"helper","state":{"terminated":{"exitCode":1,"reason":"Error"}}}]})"));
  EXPECT_EQ(change.phase, Phase::kFailed);
  EXPECT_EQ(change.message, "a: Error (exit code 3)");
  EXPECT_EQ(change.exit_code, std::nullopt);
  ASSERT_EQ(change.containers.size(), 3U);
  EXPECT_EQ(change.containers[1].exit_code, 64);
  EXPECT_EQ(change.containers[1].message, "b: Error (exit code 64): dependency \"a\" exited with non-zero code: 3");
  EXPECT_EQ(format_rfc3339(change.containers[1].finished_at), "2026-01-01T00:00:09Z");
}

TEST(PodStatusDetails, TheContainersOfASetHaveStates) {
  using State = engine::PodChanged::Container::State;
  const engine::PodChanged change = read_pod(set_with(
      R"({"phase":"Running","containerStatuses":[{"name":"a","state":{"terminated":{"exitCode":0}}},
        {"name":"b","state":{"running":{}}},{"name":"c","state":{"waiting":{"reason":"ContainerCreating"}}}]})"));
  ASSERT_EQ(change.containers.size(), 3U);
  EXPECT_EQ(change.containers[0].state, State::kEnded);
  EXPECT_EQ(change.containers[0].message, "");
  EXPECT_EQ(change.containers[1].state, State::kRunning);
  EXPECT_EQ(change.containers[2].state, State::kWaiting);
}

TEST(PodStatusDetails, OutputsComeFromTheAnnotation) {
  doc::Value pod = pod_with(R"({"phase":"Succeeded"})");
  pod.at("metadata").at("annotations").as_object()["workflows.argoproj.io/outputs"] =
      R"({"result":"heads","parameters":[{"name":"p","value":"1"}]})";
  const engine::PodChanged change = read_pod(pod);
  ASSERT_TRUE(change.outputs.has_value());
  EXPECT_EQ(change.outputs->result, "heads");
  ASSERT_EQ(change.outputs->parameters.size(), 1U);
  EXPECT_EQ(change.outputs->parameters[0].value, "1");
}

TEST(PodStatusDetails, ProgressComesFromTheAnnotation) {
  doc::Value pod = pod_with(R"({"phase":"Running"})");
  EXPECT_FALSE(read_pod(pod).progress);
  pod.at("metadata").at("annotations").as_object()["workflows.argoproj.io/progress"] = "3/4";
  EXPECT_EQ(to_text(read_pod(pod).progress.value()), "3/4");
  pod.at("metadata").at("annotations").as_object()["workflows.argoproj.io/progress"] = "5/4";
  EXPECT_FALSE(read_pod(pod).progress);
}

TEST(PodStatusDetails, OutputsThatCannotBeReadAreAnError) {
  doc::Value pod = pod_with(R"({"phase":"Succeeded"})");
  pod.at("metadata").at("annotations").as_object()["workflows.argoproj.io/outputs"] = "{";
  EXPECT_EQ(read_pod(pod).phase, Phase::kError);
}

TEST(PodStatusDetails, ADeletedPodIsGoneUnlessItHadEnded) {
  const engine::PodChanged running = read_deleted_pod(pod_with(R"({"phase":"Running"})"));
  EXPECT_EQ(running.phase, Phase::kGone);
  EXPECT_EQ(running.message, "pod deleted");
  EXPECT_EQ(read_deleted_pod(pod_with(R"({"phase":"Succeeded"})")).phase, Phase::kSucceeded);
}

TEST(PodStatusDetails, ThePodsNameIsTheNodeIdWhereNoAnnotationTells) {
  const doc::Value pod = doc::Object{{"metadata", doc::Object{{"name", "wf"}}}};
  EXPECT_EQ(node_id_of_pod(pod), "wf");
}

}  // namespace
}  // namespace tiphys::controllers

#include "node/agent/agent.h"

#include <gmock/gmock.h>

#include "cluster/taints.h"
#include "node/agent/agent_testing.h"

namespace tiphys::node {
namespace {

using testing::AgentTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::read_file;
using testing::write_file;

TEST_F(AgentTest, AShortStepIsReportedByOneWrite) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  const doc::Value& done = ended("a");
  EXPECT_THAT(cluster_.phases["a"], ElementsAre("Succeeded"));
  EXPECT_EQ(doc::find(terminated(done), "exitCode")->get_int64(), 0);
  EXPECT_EQ(doc::find_string(terminated(done), "reason"), "Completed");
  EXPECT_NE(doc::find_string(terminated(done), "finishedAt"), "");
  EXPECT_NE(status(done, "startTime"), "");
  EXPECT_EQ(status(done, "hostIP"), "127.0.0.1");
  EXPECT_EQ(status(done, "podIP"), "127.0.0.1");
  EXPECT_EQ(doc::find_string(done, "spec", "nodeName"), "laptop");
  EXPECT_EQ(outputs(done), (doc::Value{{"exitCode", "0"}}));
  EXPECT_TRUE(runtime_.containers.at(id("a")).removed);
}

TEST_F(AgentTest, WhatContainersTellOfTheirProgressIsAnAnnotation) {
  const auto told = [&] {
    return std::string(doc::find_string(*cluster_.find(key("a")), "metadata", "annotations", kProgressAnnotation));
  };
  const doc::Object variable{{"name", "ARGO_PROGRESS_FILE"}, {"value", "/var/run/argo/progress"}};
  cluster_.put(cluster::kPods, pod("a", {{"env", doc::Array{variable}}}));
  const std::string file = begun("a").spec.dir + "/files/var/run/argo/progress";
  write_file(file, "1/10\n");
  runtime_.run(id("a"));
  run_until([&] { return told() == "1/10"; });
  write_file(file, "1/10\n2/10\n");
  run_until([&] { return told() == "2/10"; });
  for (const char* useless : {"", "3", "11/10", "some text\n"}) write_file(file, useless);
  write_file(file + ".new", "5/10");
  std::filesystem::rename(file + ".new", file);
  run_until([&] { return told() == "5/10"; });
  write_file(file, "6/10");
  runtime_.end(id("a"), 1);
  ended("a");
  EXPECT_EQ(told(), "6/10") << "the last word is heard";
}

TEST_F(AgentTest, ContainersTellWhyTheyEnded) {
  struct Case {
    std::string name;
    doc::Object container;
    std::string path, content;
    std::string message;
  };
  const doc::Object by_log{{"terminationMessagePolicy", "FallbackToLogsOnError"}};
  const std::string stamp = "2026-01-01T00:00:00.000000000Z ";
  for (const Case& test : {
           Case{"usual", {}, "/files/dev/termination-log", "why", "why"},
           Case{"silent", {}, "/log", stamp + "stdout F out\n", ""},
           Case{"own", {{"terminationMessagePath", "/tmp/w"}}, "/files/tmp/w", "because", "because"},
           Case{"log", by_log, "/log", stamp + "stdout F out\n" + stamp + "stderr F err\n", "out\nerr"},
           Case{"bounded", {}, "/files/dev/termination-log", std::string(10'000, 'x'), std::string(4096, 'x')},
           Case{"binary", {}, "/files/dev/termination-log", "a\xff", "a\xef\xbf\xbd"},
       }) {
    cluster_.put(cluster::kPods, pod(test.name, test.container));
    write_file(begun(test.name).spec.dir + test.path, test.content);
    runtime_.run(id(test.name));
    runtime_.end(id(test.name), 1);
    EXPECT_EQ(doc::find_string(terminated(ended(test.name)), "message"), test.message) << test.name;
  }
}

TEST_F(AgentTest, ALinkInPlaceOfTheProgressFileIsNotFollowed) {
  const doc::Object variable{{"name", "ARGO_PROGRESS_FILE"}, {"value", "/var/run/argo/progress"}};
  cluster_.put(cluster::kPods, pod("a", {{"env", doc::Array{variable}}}));
  const std::string file = begun("a").spec.dir + "/files/var/run/argo/progress";
  write_file(folder_.path() + "/secret", "1/2");
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  std::filesystem::create_symlink(folder_.path() + "/secret", file);
  runtime_.run(id("a"));
  run_until([&] { return !cluster_.phases["a"].empty(); });
  runtime_.end(id("a"), 0);
  EXPECT_EQ(doc::find_string(ended("a"), "metadata", "annotations", kProgressAnnotation), "");
}

TEST_F(AgentTest, APodOfAnotherNodeOrBehindAGateIsLeftAlone) {
  doc::Value other = pod("other"), gated = pod("gated");
  other.at("spec").as_object()["nodeName"] = "elsewhere";
  gated.at("spec").as_object()["schedulingGates"] = doc::Array{doc::Object{{"name", "wait"}}};
  cluster_.put(cluster::kPods, other);
  cluster_.put(cluster::kPods, gated);
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  EXPECT_EQ(runtime_.containers.size(), 1u);
  gated.at("spec").as_object().erase("schedulingGates");
  cluster_.put(cluster::kPods, gated);
  begun("gated");
}

doc::Value node_that_is(bool cordoned) {
  return doc::Object{{"metadata", doc::Object{{"name", "laptop"}}}, {"spec", doc::Object{{"unschedulable", cordoned}}}};
}

TEST_F(AgentTest, ACordonedNodeTakesOnlyPodsThatTolerateIt) {
  cluster_.put(cluster::kPods, pod("before"));
  begun("before");
  runtime_.run(id("before"));
  run_until([&] { return !cluster_.phases["before"].empty(); });
  cluster_.put(cluster::kNodes, node_that_is(true));
  settle();
  cluster_.put(cluster::kPods, pod("a"));
  cluster_.put(cluster::kPods, pod("daemon", {},
                                   {{"tolerations", doc::Array{doc::Object{{"key", cluster::kUnschedulableTaint},
                                                                           {"operator", "Exists"},
                                                                           {"effect", "NoSchedule"}}}}}));
  cluster_.put(cluster::kPods, pod("chosen", {}, {{"nodeName", "laptop"}}));
  begun("daemon");
  begun("chosen");
  settle();
  EXPECT_THAT(runtime_.started, ElementsAre(id("before"), id("daemon"), id("chosen")));
  const doc::Value& condition = doc::find(*cluster_.find(key("a")), "status", "conditions")->get_array().at(0);
  EXPECT_EQ(doc::find_string(condition, "type"), "PodScheduled");
  EXPECT_EQ(doc::find_string(condition, "status"), "False");
  EXPECT_EQ(doc::find_string(condition, "reason"), "Unschedulable");
  EXPECT_TRUE(doc::find_string(condition, "message").starts_with("0/1 nodes are available: 1 node(s) were unschedul"));
  EXPECT_EQ(cluster_.phases["a"].size(), 1u) << "it is told once";

  // What has begun is found by another agent.
  runtime_.started.clear();
  start();
  run_until([&] { return runtime_.started.size() == 3; });
  EXPECT_THAT(runtime_.started, ::testing::UnorderedElementsAre(id("before"), id("daemon"), id("chosen")));
  runtime_.end(id("chosen"), 0);
  settle();
  EXPECT_FALSE(runtime_.containers.contains(id("a")));
  cluster_.put(cluster::kNodes, node_that_is(false));
  begun("a");
}

TEST_F(AgentTest, APodThatACordonedNodeRefusesCanBeDeleted) {
  cluster_.put(cluster::kNodes, node_that_is(true));
  settle();
  cluster_.put(cluster::kPods, pod("a"));
  run_until([&] { return !cluster_.phases["a"].empty(); });
  cluster_.mark_deleted(key("a"), 5);
  run_until([&] { return !cluster_.find(key("a")); });
  cluster_.put(cluster::kNodes, node_that_is(false));
  settle();
  EXPECT_TRUE(runtime_.started.empty());
}

TEST_F(AgentTest, APodKnowsItsNameAndItsAliases) {
  doc::Object spec{
      {"hostname", "worker-0"},
      {"subdomain", "workers"},
      {"hostAliases", doc::Array{doc::Object{{"ip", "10.1.2.3"}, {"hostnames", doc::Array{"db", "cache"}}}}}};
  cluster_.put(cluster::kPods, pod("a", {}, std::move(spec)));
  const ContainerSpec started = begun("a").spec;
  EXPECT_EQ(started.hostname, "worker-0");
  ASSERT_EQ(started.mounts.size(), 1u);
  EXPECT_EQ(started.mounts[0].path, "/etc/hosts");
  EXPECT_THAT(read_file(started.mounts[0].host_path), HasSubstr("10.1.2.3\tdb\tcache\n"));
  runtime_.run(id("a"));
  run_until([&] { return !cluster_.phases["a"].empty(); });
  EXPECT_THAT(read_file(started.mounts[0].host_path),
              HasSubstr("127.0.0.1\tworker-0.workers.default.svc.cluster.local worker-0\n"));
}

TEST_F(AgentTest, WhatIsToldLateOfAPodThatHasEndedRunsNothingAgain) {
  cluster_.lags = true;
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  ended("a");
  settle();
  EXPECT_THAT(runtime_.started, ElementsAre(id("a")));
  EXPECT_THAT(cluster_.phases["a"], ElementsAre("Succeeded"));
}

TEST_F(AgentTest, ALongStepIsSeenRunning) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] { return !cluster_.phases["a"].empty(); });
  const doc::Value& running = *cluster_.find(key("a"));
  EXPECT_EQ(status(running, "phase"), "Running");
  const doc::Value& container = doc::find(running, "status", "containerStatuses")->get_array().at(0);
  EXPECT_NE(doc::find_string(container, "state", "running", "startedAt"), "");
  EXPECT_TRUE(doc::find(container, "ready")->get_bool());
  runtime_.end(id("a"), 3);
  const doc::Value& done = ended("a");
  EXPECT_THAT(cluster_.phases["a"], ElementsAre("Running", "Failed"));
  EXPECT_EQ(doc::find(terminated(done), "exitCode")->get_int64(), 3);
  EXPECT_EQ(doc::find_string(terminated(done), "reason"), "Error");
}

TEST_F(AgentTest, AContainerThatCannotStartFailsThePod) {
  cluster_.put(cluster::kPods, pod("a"));
  auto start = std::move(begun("a").on_started);
  start(fail(Code::kNotFound, "exec: \"cowsya\": executable file not found in $PATH"));
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_EQ(doc::find_string(terminated(done), "reason"), "StartError");
  EXPECT_EQ(doc::find(terminated(done), "exitCode")->get_int64(), 127);
  EXPECT_EQ(doc::find_string(terminated(done), "message"), "exec: \"cowsya\": executable file not found in $PATH");
}

TEST_F(AgentTest, PodsWaitForTheirTurnInOrder) {
  for (const char* name : {"a", "b", "c", "d", "e"}) cluster_.put(cluster::kPods, pod(name));
  begun("c");
  settle();
  EXPECT_THAT(runtime_.started, ElementsAre(id("a"), id("b"), id("c")));
  runtime_.run(id("b"));
  runtime_.end(id("b"), 0);
  begun("d");
  settle();
  EXPECT_THAT(runtime_.started, ElementsAre(id("a"), id("b"), id("c"), id("d")));
}

TEST_F(AgentTest, RequestsAreAdmittedUpToTheMachine) {
  const auto wants = [](std::string cpu) {
    return doc::Object{{"resources", doc::Object{{"requests", doc::Object{{"cpu", cpu}}}}}};
  };
  cluster_.put(cluster::kPods, pod("a", wants("1500m")));
  cluster_.put(cluster::kPods, pod("b", wants("1")));
  begun("a");
  settle();
  EXPECT_THAT(runtime_.started, ElementsAre(id("a")));
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  begun("b");
}

TEST_F(AgentTest, AnUnknownRuntimeIsNamed) {
  cluster_.put(cluster::kPods, pod("a", {}, {}, {{kRuntimeAnnotation, "magic"}}));
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_THAT(status(done, "message"), HasSubstr("there is no runtime \"magic\""));
}

TEST_F(AgentTest, ANewAgentAdoptsWhatAnEarlierOneBegan) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] { return !cluster_.phases["a"].empty(); });
  agent_.reset();
  runtime_.containers.clear();
  runtime_.wanted = nullptr;
  start();
  begun("a");
  EXPECT_THAT(runtime_.started, ElementsAre(id("a"), id("a")));
  runtime_.run(id("a"));
  runtime_.end(id("a"), 137, "ContainerStatusUnknown");
  const doc::Value& done = ended("a");
  EXPECT_EQ(doc::find_string(terminated(done), "reason"), "ContainerStatusUnknown");
}

TEST_F(AgentTest, ContainersOfWaitingPodsAreWanted) {
  for (const char* name : {"a", "b", "c", "d"}) cluster_.put(cluster::kPods, pod(name));
  begun("c");
  settle();
  EXPECT_TRUE(runtime_.wanted(id("d")));
  EXPECT_FALSE(runtime_.wanted("uid-gone.main"));
}

TEST_F(AgentTest, TheEndIsWrittenAgainUntilItIsTaken) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  cluster_.failing_patches = 2;
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  settle();
  EXPECT_FALSE(runtime_.containers.at(id("a")).removed);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
  EXPECT_TRUE(runtime_.containers.at(id("a")).removed);
}

TEST_F(AgentTest, LogsAreReadFromThePodsFolder) {
  cluster_.put(cluster::kPods, pod("a"));
  auto& container = begun("a");
  runtime_.run(id("a"));
  std::vector<std::string> lines;
  bool over = false;
  const auto watch = agent_->read_log(std::make_shared<const doc::Value>(*cluster_.find(key("a"))), {.follow = true},
                                      {[&](std::string_view line, Time, std::string_view stream) {
                                         lines.push_back(fmt::format("{}:{}", stream, line));
                                       },
                                       [&](const Status& status) { over = status.has_value(); }});
  write_file(container.spec.dir + "/log", "2026-01-01T00:00:00.000000000Z stdout F one\n");
  run_until([&] { return lines.size() == 1; });
  std::ofstream(container.spec.dir + "/log", std::ios::app) << "2026-01-01T00:00:01.000000000Z stderr F two\n";
  run_until([&] { return lines.size() == 2; });
  EXPECT_FALSE(over);
  runtime_.end(id("a"), 0);
  run_until([&] { return over; });
  EXPECT_THAT(lines, ElementsAre("stdout:one", "stderr:two"));
}

}  // namespace
}  // namespace tiphys::node

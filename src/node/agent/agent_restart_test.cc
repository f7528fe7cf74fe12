// Ends, deletions and starts once more: deadlines, policies, probes and hooks.
#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>

#include "node/agent/agent_testing.h"

namespace tiphys::node {
namespace {

using testing::AgentTest;
using ::testing::ElementsAre;
using testing::exec_of;
using ::testing::HasSubstr;
using testing::read_file;
using testing::write_file;

TEST_F(AgentTest, TheDeadlineStopsThePod) {
  doc::Value late = pod("a", {}, {{"activeDeadlineSeconds", 60}, {"terminationGracePeriodSeconds", 7}});
  late.as_object()["status"] = doc::Object{{"phase", "Running"}, {"startTime", "2026-01-01T00:00:00Z"}};
  cluster_.put(cluster::kPods, std::move(late));
  auto& container = begun("a");
  runtime_.run(id("a"));
  run_until([&] { return !container.stops.empty(); });
  EXPECT_EQ(container.stops.front(), std::chrono::seconds(7));
  runtime_.end(id("a"), 143);
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_EQ(status(done, "reason"), "DeadlineExceeded");
  EXPECT_EQ(status(done, "message"), "Pod was active on the node longer than the specified deadline");
}

TEST_F(AgentTest, DeletionStopsThenRemovesThePodAndItsFolder) {
  cluster_.put(cluster::kPods, pod("a"));
  auto& container = begun("a");
  const std::string dir = folder_.path() + "/pods/uid-a";
  runtime_.run(id("a"));
  cluster_.mark_deleted(key("a"), 5);
  run_until([&] { return !container.stops.empty(); });
  EXPECT_EQ(container.stops.front(), std::chrono::seconds(5));
  write_file(dir + "/log", "");
  runtime_.end(id("a"), 143);
  run_until([&] { return !cluster_.find(key("a")); });
  EXPECT_TRUE(container.removed);
  run_until([&] { return !std::filesystem::exists(dir); });
}

TEST_F(AgentTest, AContainerIsStartedAgainByItsPolicy) {
  cluster_.put(cluster::kPods, pod("a", {}, {{"restartPolicy", "OnFailure"}}));
  begun("a");
  runtime_.run(id("a"));
  write_file(folder_.path() + "/pods/uid-a/log", "first");
  runtime_.end(id("a"), 3);
  // The first time at once, as a container of its own.
  const std::string second = id("a") + ".1";
  run_until([&] { return runtime_.containers.contains(second); });
  EXPECT_TRUE(runtime_.containers.at(id("a")).removed);
  EXPECT_EQ(read_file(folder_.path() + "/pods/uid-a/log.previous"), "first");
  runtime_.run(second);
  run_until([&] { return cluster_.phases["a"].size() > 1; });
  const doc::Value& container = doc::find(*cluster_.find(key("a")), "status", "containerStatuses")->get_array().at(0);
  EXPECT_EQ(doc::find(container, "restartCount")->get_int64(), 1);
  EXPECT_EQ(doc::find(container, "lastState", "terminated", "exitCode")->get_int64(), 3);
  // What has succeeded is not started again.
  runtime_.end(second, 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentTest, WhatFailsAgainWaitsAndCanBeDeleted) {
  cluster_.put(cluster::kPods, pod("a", {}, {{"restartPolicy", "Always"}}));
  begun("a");
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  const std::string second = id("a") + ".1";
  run_until([&] { return runtime_.containers.contains(second); });
  runtime_.run(second);
  runtime_.end(second, 1);
  const auto waiting = [&] {
    const doc::Value* list = doc::find(*cluster_.find(key("a")), "status", "containerStatuses");
    return list ? doc::find_string(list->get_array().at(0), "state", "waiting", "reason") : std::string_view();
  };
  run_until([&] { return waiting() == "CrashLoopBackOff"; });
  EXPECT_EQ(status(*cluster_.find(key("a")), "phase"), "Running");
  EXPECT_THAT(doc::find_string(doc::find(*cluster_.find(key("a")), "status", "containerStatuses")->get_array().at(0),
                               "state", "waiting", "message"),
              HasSubstr("back-off 10s restarting failed container=main"));
  // Another agent finds the second container, which has ended, and waits on.
  start();
  run_until([&] { return std::ranges::count(runtime_.started, second) == 2; });
  cluster_.mark_deleted(key("a"), 5);
  settle();
  runtime_.run(second);
  runtime_.end(second, 1);
  run_until([&] { return !cluster_.find(key("a")); });
}

TEST_F(AgentTest, AnEndedPodIsRemovedWhenItIsDeleted) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  ended("a");
  cluster_.mark_deleted(key("a"), 30);
  run_until([&] { return !cluster_.find(key("a")); });
}

TEST_F(AgentTest, APodIsReadyOnceItsProbeIs) {
  boost::asio::ip::tcp::acceptor listener(context_, {boost::asio::ip::make_address("127.0.0.1"), 0});
  doc::Object main{
      {"ports", doc::Array{doc::Object{{"name", "web"}, {"containerPort", listener.local_endpoint().port()}}}},
      {"readinessProbe", doc::Object{{"tcpSocket", doc::Object{{"port", "web"}}}, {"periodSeconds", 1}}}};
  cluster_.put(cluster::kPods, pod("a", std::move(main)));
  begun("a");
  runtime_.run(id("a"));
  const auto ready = [&] {
    const doc::Value* statuses = doc::find(*cluster_.find(key("a")), "status", "containerStatuses");
    const doc::Value* flag = statuses ? doc::find(statuses->get_array().at(0), "ready") : nullptr;
    return flag && flag->get_bool();
  };
  EXPECT_FALSE(ready());
  run_until(ready);
  EXPECT_EQ(cluster_.phases["a"].back(), "Running");
  EXPECT_EQ(status(*cluster_.find(key("a")), "podIP"), "127.0.0.1");
  runtime_.end(id("a"), 0);
  ended("a");
}

TEST_F(AgentTest, AProbeMayBeACommand) {
  doc::Object main{{"readinessProbe", doc::Object{{"exec", doc::Object{{"command", doc::Array{"test", "-f", "/x"}}}},
                                                  {"periodSeconds", 1}}}};
  // Well from the second time on.
  runtime_.exec_code = [&] { return runtime_.executed.size() > 1 ? 0 : 1; };
  cluster_.put(cluster::kPods, pod("a", std::move(main)));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] {
    const doc::Value* statuses = doc::find(*cluster_.find(key("a")), "status", "containerStatuses");
    const doc::Value* flag = statuses ? doc::find(statuses->get_array().at(0), "ready") : nullptr;
    return flag && flag->get_bool();
  });
  EXPECT_THAT(runtime_.executed, ElementsAre(id("a") + ": test -f /x", id("a") + ": test -f /x"));
  runtime_.end(id("a"), 0);
  ended("a");
}

doc::Object probe_of(const char* command) {
  doc::Object probe = exec_of(command);
  probe["failureThreshold"] = 1;
  return probe;
}

TEST_F(AgentTest, ALivenessProbeEndsItsContainer) {
  runtime_.exec_code = [] { return 3; };
  doc::Object probe = probe_of("alive");
  probe["terminationGracePeriodSeconds"] = 7;
  cluster_.put(cluster::kPods, pod("a", {{"livenessProbe", std::move(probe)}}));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] { return !runtime_.containers.at(id("a")).stops.empty(); });
  EXPECT_THAT(runtime_.containers.at(id("a")).stops, ElementsAre(std::chrono::seconds(7)));
  runtime_.end(id("a"), 143, "", 15);
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
  EXPECT_EQ(doc::find_string(terminated(ended("a")), "message"),
            "Container main failed liveness probe: command exited with 3");
}

TEST_F(AgentTest, ProbesWaitForTheStartupProbe) {
  doc::Object main{{"startupProbe", exec_of("up")}, {"readinessProbe", exec_of("ready")}};
  cluster_.put(cluster::kPods, pod("a", std::move(main)));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] { return runtime_.executed.size() == 2; });
  EXPECT_THAT(runtime_.executed, ElementsAre(id("a") + ": up", id("a") + ": ready"));
  runtime_.end(id("a"), 0);
  ended("a");

  runtime_.executed.clear();
  runtime_.exec_code = [] { return 1; };
  cluster_.put(cluster::kPods, pod("b", {{"startupProbe", probe_of("up")}, {"livenessProbe", exec_of("alive")}}));
  begun("b");
  runtime_.run(id("b"));
  run_until([&] { return !runtime_.containers.at(id("b")).stops.empty(); });
  runtime_.end(id("b"), 143, "", 15);
  ended("b");
  EXPECT_THAT(runtime_.executed, ElementsAre(id("b") + ": up"));
}

TEST_F(AgentTest, WhatFollowsAStartWaitsForItsHook) {
  doc::Value made = pod("a", {{"lifecycle", doc::Object{{"postStart", exec_of("greet")}}}});
  made.at("spec").as_object()["containers"].as_array().push_back(doc::Object{{"name", "side"}});
  cluster_.put(cluster::kPods, made);
  begun("a");
  runtime_.run(id("a"));
  EXPECT_FALSE(runtime_.containers.contains("uid-a.side"));
  run_until([&] { return runtime_.containers.contains("uid-a.side"); });
  EXPECT_THAT(runtime_.executed, ElementsAre(id("a") + ": greet"));
  runtime_.run("uid-a.side");
  runtime_.end(id("a"), 0);
  runtime_.end("uid-a.side", 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentTest, AHookThatFailsAfterTheStartEndsTheContainer) {
  runtime_.exec_code = [] { return 1; };
  cluster_.put(cluster::kPods, pod("a", {{"lifecycle", doc::Object{{"postStart", exec_of("greet")}}}}));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] { return !runtime_.containers.at(id("a")).stops.empty(); });
  runtime_.end(id("a"), 143, "", 15);
  EXPECT_EQ(doc::find_string(terminated(ended("a")), "message"), "PostStartHookError: command exited with 1");
}

TEST_F(AgentTest, AHookRunsBeforeADeletion) {
  cluster_.put(cluster::kPods, pod("a", {{"lifecycle", doc::Object{{"preStop", exec_of("part")}}}}));
  begun("a");
  runtime_.run(id("a"));
  settle();
  doc::Value deleted = *cluster_.find(key("a"));
  deleted.at("metadata").as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  deleted.at("metadata").as_object()["deletionGracePeriodSeconds"] = 20;
  cluster_.put(cluster::kPods, deleted);
  run_until([&] { return !runtime_.executed.empty(); });
  EXPECT_TRUE(runtime_.containers.at(id("a")).stops.empty());
  cluster_.put(cluster::kPods, deleted);
  run_until([&] { return !runtime_.containers.at(id("a")).stops.empty(); });
  const std::vector<Duration>& stops = runtime_.containers.at(id("a")).stops;
  ASSERT_EQ(stops.size(), 1u) << "another look at the pod changes nothing";
  EXPECT_LE(stops.front(), std::chrono::seconds(20));
  EXPECT_THAT(runtime_.executed, ElementsAre(id("a") + ": part"));
  runtime_.end(id("a"), 143, "", 15);
  run_until([&] { return cluster_.find(key("a")) == nullptr; });
}

TEST_F(AgentTest, APodThatIsToEndStaysWithItsEnd) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  settle();
  doc::Value asked = *cluster_.find(key("a"));
  asked.at("metadata").at("annotations").as_object()[kEndAnnotation] = "true";
  cluster_.put(cluster::kPods, std::move(asked));
  run_until([&] { return !runtime_.containers.at(id("a")).stops.empty(); });
  runtime_.end(id("a"), 143);
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
}

}  // namespace
}  // namespace tiphys::node

// Init containers that keep running beside the others.
#include <gmock/gmock.h>

#include "node/agent/agent_testing.h"

namespace tiphys::node {
namespace {

using testing::AgentContainers;
using ::testing::ElementsAre;
using testing::exec_of;

/// Init containers: outer, which keeps running, first, and inner, which keeps running; then main and side.
class AgentSidecars : public AgentContainers {
 protected:
  static constexpr const char* kOuter = "uid-a.outer";
  static constexpr const char* kFirst = "uid-a.first";
  static constexpr const char* kInner = "uid-a.inner";
  static constexpr const char* kSide = "uid-a.side";

  void put(doc::Object outer = {}, doc::Object spec = {}) {
    const auto keeps_running = [](const char* name, doc::Object container) {
      container["name"] = name;
      container["command"] = doc::Array{"serve"};
      container["restartPolicy"] = "Always";
      return container;
    };
    spec["initContainers"] =
        doc::Array{keeps_running("outer", std::move(outer)),
                   doc::Object{{"name", "first"}, {"command", doc::Array{"prepare"}}}, keeps_running("inner", {})};
    doc::Value made = pod("a", {}, std::move(spec));
    made.at("spec").as_object()["containers"].as_array().push_back(
        doc::Object{{"name", "side"}, {"command", doc::Array{"serve"}}});
    cluster_.put(cluster::kPods, std::move(made));
    run_until([&] { return runtime_.containers.contains(kOuter); });
  }
  void begin_all() {
    put();
    runtime_.run(kOuter);
    runtime_.run(kFirst);
    runtime_.end(kFirst, 0);
    runtime_.run(kInner);
    runtime_.run(id("a"));
    runtime_.run(kSide);
  }
  std::size_t stops(const std::string& name) { return runtime_.containers.at(name).stops.size(); }
  std::string exit_code(std::string_view list, std::size_t index) {
    return doc::scalar_text(*doc::find(container(list, index), "state", "terminated", "exitCode"));
  }
};

TEST_F(AgentSidecars, EachStartsOnceTheOneBeforeHasStarted) {
  put();
  EXPECT_THAT(runtime_.started, ElementsAre(kOuter));
  runtime_.run(kOuter);
  EXPECT_THAT(runtime_.started, ElementsAre(kOuter, kFirst));
  runtime_.run(kFirst);
  EXPECT_THAT(runtime_.started, ElementsAre(kOuter, kFirst)) << "one that does not keep running has to end";
  runtime_.end(kFirst, 0);
  runtime_.run(kInner);
  runtime_.run(id("a"));
  EXPECT_THAT(runtime_.started, ElementsAre(kOuter, kFirst, kInner, id("a"), kSide));
  runtime_.run(kSide);
  run_until([&] { return !cluster_.phases["a"].empty() && cluster_.phases["a"].back() == "Running"; });
  settle();
  EXPECT_NE(doc::find_string(container("initContainerStatuses"), "state", "running", "startedAt"), "");
  EXPECT_TRUE(doc::find(container("initContainerStatuses"), "ready")->get_bool());
  EXPECT_TRUE(doc::find(container("initContainerStatuses"), "started")->get_bool());
  EXPECT_EQ(exit_code("initContainerStatuses", 1), "0");
}

TEST_F(AgentSidecars, OneHasStartedWhenItsProbeSaysSo) {
  put({{"startupProbe", exec_of("up")}});
  runtime_.run(kOuter);
  EXPECT_THAT(runtime_.started, ElementsAre(kOuter));
  run_until([&] { return runtime_.containers.contains(kFirst); });
  EXPECT_THAT(runtime_.executed, ElementsAre(std::string(kOuter) + ": up"));
}

TEST_F(AgentSidecars, TheyEndAfterAllOthersTheLastOneFirst) {
  begin_all();
  runtime_.end(id("a"), 0);
  EXPECT_EQ(stops(kSide), 1u);
  EXPECT_EQ(stops(kInner) + stops(kOuter), 0u) << "what ends before them may need them";
  runtime_.end(kSide, 143, "", 15);
  EXPECT_EQ(stops(kInner), 1u);
  EXPECT_EQ(stops(kOuter), 0u);
  runtime_.end(kInner, 1);
  EXPECT_EQ(stops(kInner), 1u);
  EXPECT_EQ(stops(kOuter), 1u);
  runtime_.end(kOuter, 143, "", 15);
  ended("a");
  EXPECT_EQ(exit_code("initContainerStatuses", 2), "1");
  for (const std::string& name : runtime_.started) EXPECT_TRUE(runtime_.containers.at(name).removed) << name;
}

TEST_F(AgentSidecars, WhatTheyEndWithDoesNotMatter) {
  put({}, {{"restartPolicy", "Never"}});
  runtime_.run(kOuter);
  runtime_.run(kFirst);
  runtime_.end(kFirst, 0);
  runtime_.run(kInner);
  runtime_.run(id("a"));
  runtime_.run(kSide);
  runtime_.end(kSide, 0);
  runtime_.end(id("a"), 0);
  runtime_.end(kInner, 1);
  runtime_.end(kOuter, 137, "", 9);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentSidecars, OneThatEndsIsStartedAgain) {
  begin_all();
  runtime_.end(kOuter, 0);
  const std::string second = std::string(kOuter) + ".1";
  run_until([&] { return runtime_.containers.contains(second); });
  EXPECT_TRUE(runtime_.containers.at(kOuter).removed);
  runtime_.run(second);
  run_until([&] {
    const doc::Value* list = doc::find(*cluster_.find(key("a")), "status", "initContainerStatuses");
    return list && doc::find(list->get_array().at(0), "state", "running") &&
           doc::find(list->get_array().at(0), "restartCount")->get_int64() == 1;
  });
  EXPECT_EQ(status(*cluster_.find(key("a")), "phase"), "Running");
  EXPECT_EQ(stops(id("a")), 0u);
  EXPECT_EQ(std::ranges::count(runtime_.started, kFirst), 1);
  runtime_.end(id("a"), 0);
  runtime_.end(kSide, 0);
  runtime_.end(kInner, 0);
  EXPECT_EQ(stops(second), 1u);
  runtime_.end(second, 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentSidecars, OneThatWaitsForItsNextStartHoldsNothingUp) {
  begin_all();
  runtime_.end(kOuter, 1);
  const std::string second = std::string(kOuter) + ".1";
  run_until([&] { return runtime_.containers.contains(second); });
  runtime_.run(second);
  runtime_.end(second, 1);
  runtime_.end(id("a"), 0);
  runtime_.end(kSide, 0);
  runtime_.end(kInner, 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentSidecars, AFailedInitContainerEndsThem) {
  put({}, {{"restartPolicy", "Never"}});
  runtime_.run(kOuter);
  runtime_.run(kFirst);
  runtime_.end(kFirst, 2);
  EXPECT_EQ(stops(kOuter), 1u);
  EXPECT_FALSE(runtime_.containers.contains(kInner));
  runtime_.end(kOuter, 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
  EXPECT_EQ(exit_code("initContainerStatuses", 1), "2");
}

TEST_F(AgentSidecars, OneThatCannotStartIsTheEnd) {
  put({}, {{"restartPolicy", "Never"}});
  std::move(runtime_.containers.at(kOuter).on_started)(fail(Code::kNotFound, "ErrImagePull: no such image"));
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
  EXPECT_EQ(status(ended("a"), "message"), "container \"outer\" cannot start: ErrImagePull: no such image");
}

TEST_F(AgentSidecars, ADeletionEndsThemInTheirTurn) {
  begin_all();
  cluster_.mark_deleted(key("a"), 5);
  run_until([&] { return stops(id("a")) == 1; });
  EXPECT_EQ(stops(kInner) + stops(kOuter), 0u);
  runtime_.end(id("a"), 143, "", 15);
  runtime_.end(kSide, 143, "", 15);
  EXPECT_EQ(stops(kInner), 1u);
  // One that does not wait ends all at once.
  cluster_.mark_deleted(key("a"), 0);
  run_until([&] { return stops(kOuter) > 0; });
  EXPECT_EQ(runtime_.containers.at(kOuter).stops.front(), Duration{0});
  EXPECT_EQ(runtime_.containers.at(kInner).stops.back(), Duration{0});
  runtime_.end(kOuter, 137, "", 9);
  runtime_.end(kInner, 137, "", 9);
  run_until([&] { return !cluster_.find(key("a")); });
}

TEST_F(AgentSidecars, AnotherAgentGoesOnWithThem) {
  begin_all();
  start();
  run_until([&] { return std::ranges::count(runtime_.started, kOuter) == 2; });
  runtime_.run(kOuter);
  runtime_.run(kFirst);
  runtime_.end(kFirst, 0);
  runtime_.run(kInner);
  runtime_.run(id("a"));
  runtime_.run(kSide);
  runtime_.end(id("a"), 0);
  runtime_.end(kSide, 0);
  runtime_.end(kInner, 0);
  runtime_.end(kOuter, 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

}  // namespace
}  // namespace tiphys::node

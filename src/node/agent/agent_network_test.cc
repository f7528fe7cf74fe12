// Containers of a set, and the network that those of a pod share.
#include <gmock/gmock.h>

#include "node/agent/agent_testing.h"

namespace tiphys::node {
namespace {

using testing::AgentContainers;
using testing::AgentTest;
using ::testing::ElementsAre;

/// a and b; c and main after them, and last after c.
class AgentContainerSet : public AgentContainers {
 protected:
  void put_set() {
    doc::Value made =
        pod("a", {}, {},
            {{std::string(kContainerSetAnnotation), R"({"a":[],"b":[],"c":["a","b"],"last":["c"],"main":["a","b"]})"}});
    doc::Array& containers = made.at("spec").as_object()["containers"].as_array();
    for (const char* name : {"a", "b", "c", "last"}) {
      containers.push_back(doc::Object{{"name", name}, {"command", doc::Array{"run"}}});
    }
    cluster_.put(cluster::kPods, std::move(made));
    run_until([&] { return runtime_.containers.contains("uid-a.b"); });
  }
  void end(const std::string& name, int exit_code) {
    runtime_.run("uid-a." + name);
    runtime_.end("uid-a." + name, exit_code);
  }
  /// "NAME CODE MESSAGE" of each container.
  std::vector<std::string> ends() {
    const doc::Value& pod = ended("a");
    std::vector<std::string> lines;
    for (const doc::Value& container : doc::find(pod, "status", "containerStatuses")->get_array()) {
      const doc::Value* state = doc::find(container, "state", "terminated");
      lines.push_back(fmt::format("{} {} {}", doc::find_string(container, "name"),
                                  doc::find(*state, "exitCode")->get_int64(), doc::find_string(*state, "message")));
    }
    return lines;
  }
};

TEST_F(AgentContainerSet, AContainerOfASetWaitsForThoseItDependsOn) {
  put_set();
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.a", "uid-a.b"));
  end("a", 0);
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.a", "uid-a.b"));
  end("b", 0);
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.a", "uid-a.b", "uid-a.main", "uid-a.c"));
  end("main", 0);
  end("c", 0);
  EXPECT_TRUE(cluster_.phases["a"].empty() || cluster_.phases["a"].back() == "Running");
  end("last", 0);
  EXPECT_THAT(ends(), ElementsAre("main 0 ", "a 0 ", "b 0 ", "c 0 ", "last 0 "));
  EXPECT_EQ(status(*cluster_.find(key("a")), "phase"), "Succeeded");
  EXPECT_EQ(outputs(*cluster_.find(key("a"))), (doc::Value{{"exitCode", "0"}}));
}

TEST_F(AgentContainerSet, AFailureEndsWhatDependsOnItAndStopsTheOthers) {
  put_set();
  runtime_.run("uid-a.b");
  end("a", 3);
  EXPECT_EQ(runtime_.containers.at("uid-a.b").stops.size(), 1u);
  runtime_.end("uid-a.b", 143, "", 15);
  EXPECT_THAT(ends(), ElementsAre("main 64 dependency \"a\" exited with non-zero code: 3", "a 3 ", "b 143 ",
                                  "c 64 dependency \"a\" exited with non-zero code: 3",
                                  "last 64 dependency \"c\" exited with non-zero code: 3"));
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.a", "uid-a.b"));
}

TEST_F(AgentContainerSet, AContainerThatCannotStartHasFailed) {
  put_set();
  end("b", 0);
  std::move(runtime_.containers.at("uid-a.a").on_started)(fail(Code::kNotFound, "ErrImagePull: no such image"));
  EXPECT_THAT(ends(), ElementsAre("main 64 dependency \"a\" exited with non-zero code: 127", "a 127 no such image",
                                  "b 0 ", "c 64 dependency \"a\" exited with non-zero code: 127",
                                  "last 64 dependency \"c\" exited with non-zero code: 127"));
}

TEST_F(AgentContainerSet, WhatWaitsWhenThePodEndsNeverBegins) {
  put_set();
  runtime_.run("uid-a.a");
  end("b", 0);
  doc::Value ending = *cluster_.find(key("a"));
  ending.at("metadata").at("annotations").as_object()[kEndAnnotation] = "true";
  cluster_.put(cluster::kPods, std::move(ending));
  run_until([&] { return !runtime_.containers.at("uid-a.a").stops.empty(); });
  runtime_.end("uid-a.a", 143, "", 15);
  EXPECT_THAT(ends(), ElementsAre("main 143 ", "a 143 ", "b 0 ", "c 143 ", "last 143 "));
}

constexpr const char* kHolder = "uid-a._network";

struct NetworkCase {
  std::string name;
  std::string runtime;
  std::string policy;
  int containers;  ///< main and others
  bool has_sidecar;
  bool in_set;
  bool has_holder;
  friend std::ostream& operator<<(std::ostream& out, const NetworkCase& row) { return out << row.name; }
};

class AgentNetworks : public AgentTest, public ::testing::WithParamInterface<NetworkCase> {};

TEST_P(AgentNetworks, AreHeldWhereContainersComeAndGo) {
  const NetworkCase& row = GetParam();
  runtime_.kind = row.runtime;
  doc::Value made = pod("a", {}, {{"restartPolicy", row.policy}});
  doc::Object& spec = made.at("spec").as_object();
  doc::Object graph{{"main", doc::Array{}}};
  for (int i = 1; i < row.containers; ++i) {
    const std::string name = fmt::format("c{}", i);
    spec["containers"].as_array().push_back(doc::Object{{"name", name}});
    graph[name] = doc::Array{};
  }
  if (row.has_sidecar) {
    spec["initContainers"] = doc::Array{doc::Object{{"name", "serve"}, {"restartPolicy", "Always"}}};
  }
  if (row.in_set) {
    made.at("metadata").at("annotations").as_object()[kContainerSetAnnotation] = doc::to_json(std::move(graph));
  }
  cluster_.put(cluster::kPods, std::move(made));
  run_until([&] { return !runtime_.started.empty(); });
  EXPECT_EQ(runtime_.started.front() == kHolder, row.has_holder);
}

INSTANTIATE_TEST_SUITE_P(
    All, AgentNetworks,
    ::testing::Values(NetworkCase{"AStep", "container", "Never", 1, false, false, false},
                      NetworkCase{"AStepAndWhatEndsWithIt", "container", "Never", 2, false, false, false},
                      NetworkCase{"ASidecarThatIsStartedAgain", "container", "Never", 1, true, false, true},
                      NetworkCase{"ASet", "container", "Never", 2, false, true, true},
                      NetworkCase{"ASetOfOne", "container", "Never", 1, false, true, false},
                      NetworkCase{"AServerWhoseAddressStays", "container", "Always", 1, false, false, true},
                      NetworkCase{"OneThatIsToSucceed", "container", "OnFailure", 1, false, false, false},
                      NetworkCase{"SomeThatAreToSucceed", "container", "OnFailure", 2, false, false, true},
                      NetworkCase{"TheHostsNetworkNeedsNone", "process", "Always", 2, true, false, false}),
    [](const auto& row) { return row.param.name; });

TEST_F(AgentContainerSet, ItsContainersShareANetworkThatIsThereBeforeThem) {
  runtime_.kind = "container";
  doc::Value made =
      pod("a", {}, {{"hostname", "together"}}, {{std::string(kContainerSetAnnotation), R"({"b":[],"main":["b"]})"}});
  made.at("spec").as_object()["containers"].as_array().push_back(doc::Object{{"name", "b"}});
  cluster_.put(cluster::kPods, std::move(made));
  run_until([&] { return runtime_.containers.contains(kHolder); });
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder));
  const ContainerSpec holder = runtime_.containers.at(kHolder).spec;
  EXPECT_EQ(holder.hostname, "together");
  EXPECT_EQ(holder.dir, "");
  runtime_.run(kHolder);
  end("b", 0);
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder, "uid-a.b", id("a")));
  EXPECT_EQ(runtime_.containers.at("uid-a.b").spec.network_of, kHolder);
  EXPECT_EQ(runtime_.containers.at(id("a")).spec.network_of, kHolder);
  end("main", 0);
  EXPECT_THAT(ends(), ElementsAre("main 0 ", "b 0 ")) << "nobody counts the holder";
  EXPECT_TRUE(runtime_.containers.at(kHolder).removed);
}

TEST_F(AgentContainerSet, WithoutANetworkNoneOfThemStarts) {
  runtime_.kind = "container";
  doc::Value made = pod("a", {}, {}, {{std::string(kContainerSetAnnotation), R"({"b":[],"main":[]})"}});
  made.at("spec").as_object()["containers"].as_array().push_back(doc::Object{{"name", "b"}});
  cluster_.put(cluster::kPods, std::move(made));
  run_until([&] { return runtime_.containers.contains(kHolder); });
  std::move(runtime_.containers.at(kHolder).on_started)(fail(Code::kInternal, "CreateContainerError: no addresses"));
  EXPECT_THAT(ends(), ::testing::Contains("main 128 no addresses"));
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder));
}

TEST_F(AgentTest, WhatIsStartedAgainKeepsItsNetwork) {
  runtime_.kind = "container";
  cluster_.put(cluster::kPods, pod("a", {}, {{"restartPolicy", "Always"}}));
  run_until([&] { return runtime_.containers.contains(kHolder); });
  runtime_.run(kHolder);
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  const std::string second = id("a") + ".1";
  run_until([&] { return runtime_.containers.contains(second); });
  EXPECT_EQ(runtime_.containers.at(second).spec.network_of, kHolder);
  EXPECT_TRUE(runtime_.containers.at(id("a")).removed);
  runtime_.run(second);

  // Another agent finds both.
  runtime_.started.clear();
  start();
  run_until([&] { return !runtime_.started.empty(); });
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder));
  runtime_.run(kHolder);
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder, second));
  runtime_.run(second);
  cluster_.mark_deleted(key("a"), 5);
  run_until([&] { return !runtime_.containers.at(second).stops.empty(); });
  runtime_.end(second, 143, "", 15);
  run_until([&] { return !cluster_.find(key("a")); });
  EXPECT_TRUE(runtime_.containers.at(kHolder).removed);
}

TEST_F(AgentTest, ANetworkThatIsLostIsFollowedByAnother) {
  runtime_.kind = "container";
  cluster_.put(cluster::kPods, pod("a", {}, {{"restartPolicy", "Always"}}));
  run_until([&] { return runtime_.containers.contains(kHolder); });
  runtime_.run(kHolder);
  runtime_.run(id("a"));
  // As when the engine is started again.
  runtime_.end(kHolder, 137, "", 9);
  runtime_.end(id("a"), 137, "", 9);
  const std::string another = std::string(kHolder) + ".1", second = id("a") + ".1";
  run_until([&] { return runtime_.containers.contains(another); });
  runtime_.run(another);
  EXPECT_EQ(runtime_.containers.at(second).spec.network_of, another);
  runtime_.run(second);
  cluster_.mark_deleted(key("a"), 5);
  run_until([&] { return !runtime_.containers.at(second).stops.empty(); });
  runtime_.end(second, 143, "", 15);
  run_until([&] { return !cluster_.find(key("a")); });
  EXPECT_TRUE(runtime_.containers.at(kHolder).removed);
  EXPECT_TRUE(runtime_.containers.at(another).removed);
}

TEST_F(AgentTest, APodThatEndsBeforeItsNetworkIsThereNeverBegins) {
  runtime_.kind = "container";
  cluster_.put(cluster::kPods, pod("a", {}, {{"restartPolicy", "Always"}}));
  run_until([&] { return runtime_.containers.contains(kHolder); });
  cluster_.mark_deleted(key("a"), 5);
  settle();
  runtime_.run(kHolder);
  run_until([&] { return !cluster_.find(key("a")); });
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder));
  EXPECT_TRUE(runtime_.containers.at(kHolder).removed);
}

}  // namespace
}  // namespace tiphys::node

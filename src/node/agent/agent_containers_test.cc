// Init containers and sidecars beside the main one.
#include <gmock/gmock.h>

#include "node/agent/agent_testing.h"

namespace tiphys::node {
namespace {

using testing::AgentContainers;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::own_mounts;
using ::testing::Pair;
using testing::read_file;
using testing::write_file;

TEST_F(AgentContainers, StartOneAfterTheOther) {
  put();
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.first"));
  runtime_.run("uid-a.first");
  run_until([&] { return !cluster_.phases["a"].empty(); });
  EXPECT_THAT(cluster_.phases["a"], ElementsAre("Pending"));
  EXPECT_NE(doc::find_string(container("initContainerStatuses"), "state", "running", "startedAt"), "");
  EXPECT_EQ(doc::find_string(container("containerStatuses"), "state", "waiting", "reason"), "PodInitializing");
  runtime_.end("uid-a.first", 0);
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.first", id("a")));
  EXPECT_EQ(runtime_.containers.at(id("a")).spec.network_of, "");
  runtime_.run(id("a"));
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.first", id("a"), "uid-a.side"));
  EXPECT_EQ(runtime_.containers.at("uid-a.side").spec.network_of, id("a"));
  runtime_.run("uid-a.side");
  run_until([&] { return cluster_.phases["a"].size() > 1; });
  EXPECT_EQ(cluster_.phases["a"].back(), "Running");
}

/// Main has a variable from a file that the init container writes.
class AgentFileKeys : public AgentContainers {
 protected:
  ContainerSpec put_with_file() {
    doc::Value made = pod("a", doc::parse_json(R"j({"env":[{"name":"X","valueFrom":{"fileKeyRef":{"volumeName":"v",
        "path":"f","key":"K"}}},{"name":"Y","value":"<$(X)>"}],"command":["say","$(X)"],
        "volumeMounts":[{"name":"v","mountPath":"/sub","subPathExpr":"$(X)"}]})j")
                                   .value()
                                   .as_object());
    doc::Object& spec = made.at("spec").as_object();
    spec["volumes"] = doc::parse_json(R"([{"name":"v","emptyDir":{}}])").value();
    spec["initContainers"] = doc::parse_json(R"([{"name":"first","command":["prepare"],
        "volumeMounts":[{"name":"v","mountPath":"/v"}]}])")
                                 .value();
    cluster_.put(cluster::kPods, std::move(made));
    run_until([&] { return runtime_.containers.contains("uid-a.first"); });
    runtime_.run("uid-a.first");
    return runtime_.containers.at("uid-a.first").spec;
  }
};

TEST_F(AgentFileKeys, AreReadWhenTheirContainerStarts) {
  const ContainerSpec first = put_with_file();
  const std::string volume = own_mounts(first)[0].host_path;
  write_file(volume + "/f", "K='v'\n");
  runtime_.end("uid-a.first", 0);
  const ContainerSpec main = begun("a").spec;
  EXPECT_THAT(main.env, ElementsAre(Pair("X", "v"), Pair("Y", "<v>")));
  EXPECT_THAT(main.command, ElementsAre("say", "v"));
  EXPECT_EQ(own_mounts(main)[0].host_path, volume + "/v");
}

TEST_F(AgentFileKeys, AContainerWithoutThemDoesNotStart) {
  put_with_file();
  runtime_.end("uid-a.first", 0);
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_EQ(doc::find_string(terminated(done), "reason"), "CreateContainerConfigError");
  EXPECT_THAT(std::string(doc::find_string(terminated(done), "message")),
              HasSubstr("environment variable \"X\": couldn't parse env file \"f\" of volume \"v\""));
  EXPECT_FALSE(runtime_.containers.contains(id("a")));
}

TEST_F(AgentContainers, AFailedInitContainerIsTheEnd) {
  put();
  runtime_.run("uid-a.first");
  runtime_.end("uid-a.first", 2);
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
  EXPECT_EQ(doc::find(container("initContainerStatuses"), "state", "terminated", "exitCode")->get_int64(), 2);
  EXPECT_EQ(doc::find_string(container("containerStatuses"), "state", "waiting", "reason"), "PodInitializing");
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.first"));
}

TEST_F(AgentContainers, TheOthersStopWhenMainHasEnded) {
  begin_all();
  runtime_.end(id("a"), 0);
  EXPECT_THAT(runtime_.containers.at("uid-a.side").stops, ElementsAre(std::chrono::seconds(30)));
  runtime_.end("uid-a.side", 143);
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
  EXPECT_EQ(doc::find(container("containerStatuses"), "state", "terminated", "exitCode")->get_int64(), 0);
  EXPECT_EQ(doc::find(container("containerStatuses", 1), "state", "terminated", "exitCode")->get_int64(), 143);
  for (const char* name : {"uid-a.first", "uid-a.main", "uid-a.side"}) {
    EXPECT_TRUE(runtime_.containers.at(name).removed) << name;
  }
}

TEST_F(AgentContainers, ASidecarThatEndsByItselfEndsNothing) {
  begin_all();
  runtime_.end("uid-a.side", 0);
  EXPECT_TRUE(runtime_.containers.at(id("a")).stops.empty());
  runtime_.end(id("a"), 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentContainers, ASidecarThatCannotStartEndsMain) {
  put();
  runtime_.run("uid-a.first");
  runtime_.end("uid-a.first", 0);
  runtime_.run(id("a"));
  std::move(runtime_.containers.at("uid-a.side").on_started)(fail(Code::kNotFound, "ErrImagePull: no such image"));
  EXPECT_EQ(runtime_.containers.at(id("a")).stops.size(), 1u);
  runtime_.end(id("a"), 143, "", 15);
  EXPECT_EQ(status(ended("a"), "message"), "container \"side\" cannot start: ErrImagePull: no such image");
}

TEST_F(AgentContainers, ASidecarMayHaveACommandThatEndsIt) {
  for (const auto& [name, annotation, executed, stops] :
       {std::tuple{"a", R"(["quit","-%d"])", std::vector<std::string>{"uid-a.side: quit -15"}, 0u},
        {"b", R"(["quit"])", std::vector<std::string>{"uid-b.side: quit"}, 1u},
        {"c", "quit", std::vector<std::string>{}, 1u}}) {
    runtime_.executed.clear();
    runtime_.exec_code = [fails = stops > 0] { return fails ? 1 : 0; };
    doc::Value made = pod(name, {}, {}, {{"workflows.argoproj.io/kill-cmd-side", annotation}});
    made.at("spec").as_object()["containers"].as_array().push_back(doc::Object{{"name", "side"}});
    cluster_.put(cluster::kPods, std::move(made));
    begun(name);
    runtime_.run(id(name));
    const std::string side = fmt::format("uid-{}.side", name);
    runtime_.run(side);
    runtime_.end(id(name), 0);
    run_until([&] { return runtime_.executed.size() == executed.size(); });
    settle();
    EXPECT_EQ(runtime_.executed, executed);
    EXPECT_EQ(runtime_.containers.at(side).stops.size(), stops) << "a command that does not work";
    runtime_.end(side, 0);
    EXPECT_EQ(status(ended(name), "phase"), "Succeeded");
  }
}

TEST_F(AgentContainers, ASidecarThatComesTooLateIsNoFailure) {
  put();
  runtime_.run("uid-a.first");
  runtime_.end("uid-a.first", 0);
  runtime_.run(id("a"));
  std::move(runtime_.containers.at("uid-a.side").on_started)(fail(Code::kInternal, "StartError: main does not run"));
  runtime_.end(id("a"), 0);
  ended("a");
  EXPECT_EQ(status(*cluster_.find(key("a")), "message"), "");
  EXPECT_EQ(doc::find(container("containerStatuses", 1), "state", "terminated", "exitCode")->get_int64(), 137);
}

TEST_F(AgentContainers, MirroringContainersSeeTheInputsOfMain) {
  put({{std::string(kInputsAnnotation),
        R"({"files": [{"path": "/in/f", "content": "text"}], "mirrored": ["first"]})"}});
  runtime_.run("uid-a.first");
  runtime_.end("uid-a.first", 0);
  for (const char* name : {"uid-a.first", "uid-a.main"}) {
    const auto mounts = own_mounts(runtime_.containers.at(name).spec);
    ASSERT_EQ(mounts.size(), 1u) << name;
    EXPECT_EQ(mounts[0].path, "/in/f");
    EXPECT_EQ(read_file(mounts[0].host_path), "text");
  }
  runtime_.run(id("a"));
  EXPECT_TRUE(own_mounts(runtime_.containers.at("uid-a.side").spec).empty());
}

}  // namespace
}  // namespace tiphys::node

#include "node/container/docker_spec.h"

#include <gtest/gtest.h>

#include "node/network_holder.h"

namespace tiphys::node {
namespace {

ContainerSpec small_spec() {
  ContainerSpec spec;
  spec.id = "uid-1.main";
  spec.pod_uid = "uid-1";
  spec.pod_name = "pod";
  spec.ns = "default";
  spec.container_name = "main";
  spec.image = "busybox";
  return spec;
}

TEST(EngineName, KeepsWhatEnginesAllow) {
  EXPECT_EQ(engine_name("1f-2e.main"), "tiphys-1f-2e.main");
  EXPECT_EQ(engine_name("a/b c"), "tiphys-a_b_c");
}

TEST(CreateBody, OfASmallContainer) {
  EXPECT_EQ(
      doc::to_json(create_body(small_spec(), {}, {.plane = "/data", .network = ""})),
      R"({"Image":"busybox","Env":[],"Labels":{"tiphys.io/id":"uid-1.main","tiphys.io/plane":"/data","tiphys.io/pod-uid":"uid-1",)"
      R"("tiphys.io/pod-namespace":"default","tiphys.io/pod-name":"pod","tiphys.io/container-name":"main"},)"
      R"("HostConfig":{"Init":true,"Mounts":[],"SecurityOpt":["label=disable"],)"
      R"("LogConfig":{"Type":"json-file","Config":{"max-size":"1000000g"}}}})");
}

TEST(CreateBody, SaysAllThatASpecCan) {
  ContainerSpec spec = small_spec();
  spec.command = {"sh", "-c"};
  spec.args = {"true"};
  spec.env = {{"A", "b c"}, {"EMPTY", ""}};
  spec.working_dir = "/work";
  spec.mounts = {{"/host/a", "/a", false}, {"/host/b:c", "/b", true}};
  spec.inputs = {{"/in", "/host/in"}};
  spec.memory_bytes = 64 << 20;
  spec.cpus = 0.5;
  spec.run_as_user = 1000;
  spec.run_as_group = 2000;
  spec.read_only_root = true;
  spec.privileged = true;
  spec.hostname = std::string(62, 'h') + "-tail";
  const doc::Value body = create_body(spec, {.podman = true, .init = false}, {.plane = "", .network = "host"});
  EXPECT_EQ(doc::to_json(*doc::find(body, "Entrypoint")), R"(["sh","-c"])");
  EXPECT_EQ(doc::to_json(*doc::find(body, "Cmd")), R"(["true"])");
  EXPECT_EQ(doc::to_json(*doc::find(body, "Env")), R"(["A=b c","EMPTY="])");
  EXPECT_EQ(doc::find_string(body, "WorkingDir"), "/work");
  EXPECT_EQ(doc::find_string(body, "User"), "1000:2000");
  EXPECT_EQ(doc::find_string(body, "Hostname"), std::string(62, 'h'));
  EXPECT_EQ(doc::to_json(*doc::find(body, "HostConfig")),
            R"({"NetworkMode":"host","Mounts":[)"
            R"({"Type":"bind","Source":"/host/a","Target":"/a","ReadOnly":false},)"
            R"({"Type":"bind","Source":"/host/b:c","Target":"/b","ReadOnly":true},)"
            R"({"Type":"bind","Source":"/host/in","Target":"/in","ReadOnly":true}],)"
            R"("SecurityOpt":["label=disable"],"Memory":67108864,"MemorySwap":67108864,)"
            R"("CpuPeriod":100000,"CpuQuota":50000,"ReadonlyRootfs":true,"Privileged":true,)"
            R"("LogConfig":{"Type":"json-file","Config":{"max-size":"1000000g"}}})");
}

TEST(DockerSpec, AContainerOfSeveralSharesTheNetworkOfTheFirst) {
  ContainerSpec spec;
  spec.id = "u.side";
  spec.hostname = "pod";
  spec.network_of = "u.main";
  const doc::Value body = create_body(spec, {}, {.plane = "", .network = "host"});
  EXPECT_EQ(doc::find_string(body, "HostConfig", "NetworkMode"), "container:tiphys-u.main");
  EXPECT_EQ(doc::find_string(body, "Hostname"), "") << "dockerd takes it from the first";
  EXPECT_EQ(doc::find_string(create_body(spec, {.podman = true}, {}), "Hostname"), "pod");
}

TEST(DockerSpec, ANetworkHolderIsItsFirstProcess) {
  ContainerSpec spec;
  spec.image = kNetworkHolderImage;
  spec.command = {std::string(kNetworkHolderProgram)};
  const doc::Value body = create_body(spec, {}, {});
  EXPECT_EQ(doc::find(body, "HostConfig", "Init"), nullptr);
}

TEST(CreateBody, NeverAsksForLessTimeThanTheKernelGives) {
  ContainerSpec spec = small_spec();
  spec.cpus = 0.001;
  const doc::Value body = create_body(spec, {}, {});
  EXPECT_EQ(doc::find(body, "HostConfig", "CpuQuota")->get_int64(), 1000);
}

TEST(ListTarget, FiltersByLabel) {
  EXPECT_EQ(list_target(), "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22tiphys.io%2Fid%22%5D%7D");
  EXPECT_EQ(list_target("/data"),
            "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22tiphys.io%2Fplane%3D%2Fdata%22%5D%7D");
}

TEST(ParseList, GivesTheIds) {
  const auto ids =
      parse_list(R"([{"Labels":{"tiphys.io/id":"a.main"}},{"Labels":null},{"Labels":{"tiphys.io/id":"b.main"}}])");
  ASSERT_TRUE(ids);
  EXPECT_EQ(*ids, (std::vector<std::string>{"a.main", "b.main"}));
  EXPECT_TRUE(parse_list("[]")->empty());
  EXPECT_FALSE(parse_list("{}"));
}

TEST(ParseImage, FindsTheTag) {
  const struct {
    const char *image, *name, *tag;
  } rows[] = {{"alpine", "alpine", "latest"},
              {"alpine:3.7", "alpine", "3.7"},
              {"docker/whalesay", "docker/whalesay", "latest"},
              {"localhost:5000/a/b", "localhost:5000/a/b", "latest"},
              {"localhost:5000/a/b:x", "localhost:5000/a/b", "x"},
              {"a@sha256:00", "a@sha256:00", ""},
              {"a:tag@sha256:00", "a:tag@sha256:00", ""}};
  for (const auto& row : rows) {
    const ImageReference reference = parse_image(row.image);
    EXPECT_EQ(reference.name, row.name) << row.image;
    EXPECT_EQ(reference.tag, row.tag) << row.image;
  }
}

TEST(PullPolicyOf, DefaultsAsKubernetesDoes) {
  EXPECT_EQ(pull_policy("", "alpine"), PullPolicy::kAlways);
  EXPECT_EQ(pull_policy("", "alpine:latest"), PullPolicy::kAlways);
  EXPECT_EQ(pull_policy("", "alpine:3.7"), PullPolicy::kIfNotPresent);
  EXPECT_EQ(pull_policy("", "alpine@sha256:00"), PullPolicy::kIfNotPresent);
  EXPECT_EQ(pull_policy("Never", "alpine"), PullPolicy::kNever);
  EXPECT_EQ(pull_policy("Always", "alpine:3.7"), PullPolicy::kAlways);
  EXPECT_EQ(pull_policy("IfNotPresent", "alpine"), PullPolicy::kIfNotPresent);
}

TEST(ParseInspect, OfBothEngines) {
  const auto dockerd = parse_inspect(
      R"({"Config":{"Labels":{"tiphys.io/id":"i"}},"State":{"Status":"exited","OOMKilled":true,"ExitCode":137,)"
      R"("Error":"","StartedAt":"2026-11-24T12:47:15.475875732Z","FinishedAt":"2026-11-24T12:47:16Z"}})");
  ASSERT_TRUE(dockerd) << dockerd.error().message;
  EXPECT_EQ(dockerd->label_id, "i");
  EXPECT_TRUE(dockerd->ended && dockerd->started && dockerd->oom_killed);
  EXPECT_EQ(dockerd->exit_code, 137);
  const auto created = parse_inspect(R"({"State":{"Status":"created","StartedAt":"0001-01-01T00:00:00Z"}})");
  ASSERT_TRUE(created);
  EXPECT_FALSE(created->ended || created->started);
  EXPECT_TRUE(parse_inspect(R"({"State":{"Status":"stopped"}})")->ended) << "podman, before its cleaning up";
  EXPECT_FALSE(parse_inspect("{}"));
  EXPECT_FALSE(parse_inspect("not JSON"));
}

struct ExitRow {
  std::string rule;
  int code;
  bool engine_oom, limited, killed;
  std::string reason;
  int signal;
};
class ExitReasons : public ::testing::TestWithParam<ExitRow> {};
TEST_P(ExitReasons, FollowFromTheState) {
  const ExitRow& row = GetParam();
  EngineState state;
  state.exit_code = row.code;
  state.oom_killed = row.engine_oom;
  const ContainerExit exit = exit_of(state, row.limited, row.killed);
  EXPECT_EQ(exit.reason, row.reason);
  EXPECT_EQ(exit.signal, row.signal);
}
INSTANTIATE_TEST_SUITE_P(DockerSpec, ExitReasons,
                         ::testing::Values(ExitRow{"success", 0, false, false, false, "Completed", 0},
                                           ExitRow{"failure", 1, false, true, false, "Error", 0},
                                           ExitRow{"killed_under_a_limit", 137, false, true, false, "OOMKilled", 9},
                                           ExitRow{"killed_by_us_under_a_limit", 137, false, true, true, "Error", 9},
                                           ExitRow{"killed_without_a_limit", 137, false, false, false, "Error", 9},
                                           ExitRow{"engine_knows_of_memory", 137, true, false, false, "OOMKilled", 9},
                                           ExitRow{"a_child_ran_out_of_memory", 1, true, true, false, "Error", 0},
                                           ExitRow{"terminated", 143, false, true, true, "Error", 15},
                                           ExitRow{"code_beyond_signals", 255, false, false, false, "Error", 0},
                                           ExitRow{"unknown_code", -1, false, false, false, "Error", 0}),
                         [](const auto& row) { return row.param.rule; });

TEST(ExitOf, NeverEndsBeforeItStarted) {
  EngineState state;
  state.started_at = Time{std::chrono::seconds{20}};
  state.finished_at = Time{std::chrono::seconds{10}};
  const ContainerExit exit = exit_of(state, false, false);
  EXPECT_EQ(exit.started_at, state.finished_at);
  EXPECT_EQ(exit.finished_at, state.finished_at);
  state.finished_at = Time{};
  EXPECT_EQ(exit_of(state, false, false).started_at, state.started_at);
}

TEST(PullError, IsFoundInAStreamThatBeganWell) {
  EXPECT_EQ(pull_error("{\"status\":\"Pulling\"}\r\n{\"status\":\"Done\"}\r\n"), std::nullopt);
  EXPECT_EQ(pull_error(""), std::nullopt);
  EXPECT_EQ(pull_error("{\"status\":\"Pulling\"}\n{\"error\":\"no such manifest\"}\n"), "no such manifest");
  EXPECT_EQ(pull_error("{\"errorDetail\":{\"message\":\"denied\"},\"error\":\"denied\"}\n"), "denied");
  EXPECT_EQ(pull_error("cut}\n{\"error\":\"x\"}"), "x");
}

TEST(LinkTarget, IsReadFromTheStatHeader) {
  // {"name":"l","size":1,"mode":134218239,"mtime":"2026-01-01T00:00:00Z","linkTarget":"/etc/x"}
  EXPECT_EQ(link_target("eyJuYW1lIjoibCIsInNpemUiOjEsIm1vZGUiOjEzNDIxODIzOSwibXRpbWUiOiIyMDI2LTAxLTAxVDAwOjAwOjAwWiIs"
                        "ImxpbmtUYXJnZXQiOiIvZXRjL3gifQ=="),
            "/etc/x");
  // {"name":"f","mode":420,"linkTarget":""}
  EXPECT_EQ(link_target("eyJuYW1lIjoiZiIsIm1vZGUiOjQyMCwibGlua1RhcmdldCI6IiJ9"), "");
  EXPECT_EQ(link_target(""), "");
  EXPECT_EQ(link_target("!!"), "");
}

}  // namespace
}  // namespace tiphys::node

#include "node/container/docker_discovery.h"

#include <gtest/gtest.h>

#include <map>

#include "artifact/testing.h"

namespace tiphys::node {
namespace {

GetEnv environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

struct Row {
  std::string rule, flag;
  std::map<std::string, std::string> variables;
  std::vector<std::string> sockets;  ///< empty: an error
  bool binding = false;
};
class EngineCandidates : public ::testing::TestWithParam<Row> {};
TEST_P(EngineCandidates, ComeInOrder) {
  const Row& row = GetParam();
  const auto candidates = engine_candidates(row.flag, environment(row.variables));
  if (row.sockets.empty()) {
    ASSERT_FALSE(candidates);
    EXPECT_EQ(candidates.error().code, Code::kInvalidArgument);
    return;
  }
  ASSERT_TRUE(candidates) << candidates.error().message;
  std::vector<std::string> sockets;
  for (const EngineCandidate& candidate : *candidates) {
    sockets.push_back(candidate.socket);
    EXPECT_EQ(candidate.binding, row.binding);
  }
  EXPECT_EQ(sockets, row.sockets);
}
INSTANTIATE_TEST_SUITE_P(
    DockerDiscovery, EngineCandidates,
    ::testing::Values(
        Row{"flag_wins", "/x.sock", {{"DOCKER_HOST", "unix:///d.sock"}}, {"/x.sock"}, true},
        Row{"flag_as_address", "unix:///x.sock", {}, {"/x.sock"}, true},
        Row{"docker_host_before_container_host",
            "",
            {{"CONTAINER_HOST", "unix:///c"}, {"DOCKER_HOST", "unix:///d"}},
            {"/d"},
            true},
        Row{"container_host", "", {{"CONTAINER_HOST", "unix:///c"}}, {"/c"}, true},
        Row{"empty_is_unset", "", {{"DOCKER_HOST", ""}}, {"/var/run/docker.sock", "/run/podman/podman.sock"}},
        Row{"tcp_is_refused", "", {{"DOCKER_HOST", "tcp://1.2.3.4:2375"}}, {}},
        Row{"relative_is_refused", "x.sock", {}, {}},
        Row{"usual_places",
            "",
            {{"XDG_RUNTIME_DIR", "/run/user/1"}, {"HOME", "/h"}},
            {"/var/run/docker.sock", "/run/user/1/podman/podman.sock", "/run/user/1/docker.sock",
             "/run/podman/podman.sock", "/h/.docker/run/docker.sock"}}),
    [](const auto& row) { return row.param.rule; });

TEST(NoEngineError, NamesTheThreeWays) {
  const Error error = no_engine_error({"/a: refused"});
  EXPECT_EQ(error.code, Code::kFailedPrecondition);
  for (const char* part : {"start podman", "dockerd", "--runtime process", "DOCKER_HOST=", "/a: refused"}) {
    EXPECT_NE(error.message.find(part), std::string::npos) << part;
  }
}

TEST(FindProgram, LooksAlongPath) {
  artifact::testing::TempFolder temp;
  artifact::testing::write_file(temp / "bin/tool", "", 0755);
  artifact::testing::write_file(temp / "no/tool", "", 0644);
  const GetEnv env = environment({{"PATH", "relative:" + (temp / "no") + ":" + (temp / "bin")}});
  EXPECT_EQ(find_program("tool", env), temp / "bin/tool");
  EXPECT_EQ(find_program("none", env), "");
}

}  // namespace
}  // namespace tiphys::node

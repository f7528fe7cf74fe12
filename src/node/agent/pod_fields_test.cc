// The downward API, and variables in paths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "node/agent/pod_spec.h"
#include "node/testing.h"

namespace tiphys::node {
namespace {

using ::testing::HasSubstr;

TEST(PodFields, ResourcesAreInUnitsOfTheDivisor) {
  const doc::Value pod = *doc::parse_json(R"({"spec": {
      "initContainers": [{"name": "first", "resources": {"limits": {"memory": "64Mi"}}}],
      "containers": [{"name": "main", "resources": {"limits": {"cpu": "1500m", "memory": "1Gi"},
                                                    "requests": {"cpu": "250m"}}}, {"name": "side"}]}})");
  const PodPlace place{.dir = "", .node_name = "", .cpus = 8, .memory_bytes = 4096};
  struct Row {
    const char* rule;
    const char* reference;
    std::string expected;
  };
  for (const Row& row : {
           Row{"whole cores, rounded up", R"({"resource": "limits.cpu"})", "2"},
           Row{"thousandths", R"({"resource": "limits.cpu", "divisor": "1m"})", "1500"},
           Row{"a divisor of 0 is none", R"({"resource": "limits.cpu", "divisor": "0"})", "2"},
           Row{"bytes", R"({"resource": "limits.memory"})", "1073741824"},
           Row{"mebibytes", R"({"resource": "limits.memory", "divisor": "1Mi"})", "1024"},
           Row{"what is asked for", R"({"resource": "requests.cpu", "divisor": "1m"})", "250"},
           Row{"without a request the limit", R"({"resource": "requests.memory", "divisor": "1Gi"})", "1"},
           Row{"another container's", R"({"resource": "limits.memory", "containerName": "first", "divisor": "1Mi"})",
               "64"},
           Row{"without a limit the machine's", R"({"resource": "limits.cpu", "containerName": "side"})", "8"},
           Row{"its memory too", R"({"resource": "limits.memory", "containerName": "side"})", "4096"},
           Row{"nothing asked for", R"({"resource": "requests.cpu", "containerName": "side"})", "0"},
           Row{"no such container", R"({"resource": "limits.cpu", "containerName": "x"})", "container x not found"},
           Row{"no such resource", R"({"resource": "limits.gpu"})", "unsupported container resource: limits.gpu"},
       }) {
    const auto value = resource_value(pod, *doc::parse_json(row.reference), "main", place);
    EXPECT_EQ(value ? *value : value.error().message, row.expected) << row.rule;
  }
}

TEST(PodFields, PathsArePartsOfThePod) {
  const doc::Value pod = *doc::parse_json(R"({"metadata": {"name": "p", "labels": {"a.b/c": "d"}}, "spec": {}})");
  const doc::Value named = *doc::parse_json(R"({"spec": {"serviceAccountName": "robot"}})");
  const PodPlace place{.dir = "", .node_name = "host"};
  struct Row {
    const char* rule;
    const doc::Value& pod;
    const char* path;
    const char* expected;
  };
  for (const Row& row : {
           Row{"a name", pod, "metadata.name", "p"},
           Row{"a label", pod, "metadata.labels['a.b/c']", "d"},
           Row{"a label that there is not", pod, "metadata.labels['x']", ""},
           Row{"the node", pod, "spec.nodeName", "host"},
           Row{"an address", pod, "status.podIP", "127.0.0.1"},
           Row{"addresses", pod, "status.hostIPs", "127.0.0.1"},
           Row{"an account", named, "spec.serviceAccountName", "robot"},
           Row{"an account that nobody has named", pod, "spec.serviceAccountName", "default"},
           Row{"no path", pod, "spec.nothing", "unsupported fieldPath: spec.nothing"},
       }) {
    const auto value = field_value(row.pod, row.path, place);
    EXPECT_EQ(value ? *value : value.error().message, row.expected) << row.rule;
  }
}

TEST(PodFields, SubPathsMayHoldVariables) {
  const testing::TempFolder temp;
  const auto mount = [&](const std::string& field) -> std::string {
    const doc::Value pod = *doc::parse_json(R"({"metadata": {"name": "p", "uid": "u"}, "spec": {"containers": [{
        "name": "main", "env": [{"name": "STEP", "value": "s1"}], "volumeMounts": [
        {"name": "v", "mountPath": "/v", )" +
                                            field + "}]}]}}");
    const auto specs = container_specs(pod, PodSources(), {{"v", {temp.path()}}}, PodPlace{.dir = temp.path()});
    return specs ? specs->containers.at(0).mounts.at(0).host_path : specs.error().message;
  };
  EXPECT_EQ(mount(R"j("subPathExpr": "runs/$(STEP)")j"), temp.path() + "/runs/s1");
  EXPECT_TRUE(std::filesystem::is_directory(temp.path() + "/runs/s1"));
  EXPECT_THAT(mount(R"j("subPathExpr": "$(NOPE)")j"), HasSubstr("missing value for \"NOPE\""));
  EXPECT_THAT(mount(R"j("subPathExpr": "../$(STEP)")j"), HasSubstr("must be relative and without .."));
  EXPECT_THAT(mount(R"j("subPathExpr": "a", "subPath": "b")j"), HasSubstr("mutually exclusive"));
}

}  // namespace
}  // namespace tiphys::node

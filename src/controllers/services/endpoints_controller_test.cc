#include "controllers/services/endpoints_controller.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "controllers/workloads/fields.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using workloads::list_at;

class EndpointsTest : public testing::Test {
 protected:
  EndpointsTest() { start(); }

  void start() {
    controller_ = std::make_shared<EndpointsController>(store_.executor(), store_.store());
    controller_->start();
    store_.run();
  }
  void make(const cluster::Resource& resource, const std::string& yaml) {
    auto documents = doc::parse_yaml(yaml, "test.yaml");
    ASSERT_TRUE(documents.has_value()) << yaml;
    const auto made = store_.create(resource, std::move(documents->front().root));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    store_.run();
  }
  void service(const std::string& more =
                   "clusterIP: 10.96.1.1, ports: [{name: web, port: 80, protocol: TCP, targetPort: http}]") {
    make(cluster::kServices,
         "{metadata: {name: s, namespace: default, labels: {l: m}}, spec: {selector: {app: a}, " + more + "}}");
  }
  void pod(const std::string& name, bool ready, const std::string& labels = "app: a", int port = 8080) {
    make(
        cluster::kPods,
        fmt::format("{{metadata: {{name: {}, namespace: default, labels: {{{}}}}}, spec: {{nodeName: here, containers: "
                    "[{{name: main, ports: [{{name: http, containerPort: {}}}]}}]}}, status: {{phase: Running, podIP: "
                    "10.0.0.1, conditions: [{{type: Ready, status: '{}'}}]}}}}",
                    name, labels, port, ready ? "True" : "False"));
  }
  void merge(const cluster::Resource& resource, const char* name, const char* json) {
    auto patch = doc::parse_json(json);
    ASSERT_TRUE(store_.patch({&resource, "default", name}, cluster::PatchType::kMerge, *patch));
    store_.run();
  }
  std::vector<cluster::Object> slices() { return store_.list(cluster::kEndpointSlices)->items; }
  /// "pod ready" of each endpoint.
  std::vector<std::string> endpoints() {
    std::vector<std::string> found;
    for (const auto& slice : slices()) {
      for (const doc::Value& one : list_at(*slice, "endpoints")) {
        const bool ready = workloads::is_true_at(one, "conditions", "ready");
        found.push_back(fmt::format("{} {}", doc::find_string(one, "targetRef", "name"), ready));
      }
    }
    return found;
  }
  std::string subsets() {
    const auto found = store_.get({&cluster::kEndpoints, "default", "s"});
    if (!found) return "gone";
    const doc::Value* subsets = doc::find(**found, "subsets");
    return subsets ? doc::to_json(*subsets) : "none";
  }

  store::TestStore store_;
  std::shared_ptr<EndpointsController> controller_;
};

TEST_F(EndpointsTest, FollowPods) {
  service();
  ASSERT_EQ(slices().size(), 1u) << "an empty one says that there are none";
  EXPECT_EQ(subsets(), "none");
  pod("p", false);
  pod("other", true, "app: b");
  EXPECT_THAT(endpoints(), ElementsAre("p false"));
  EXPECT_THAT(subsets(), HasSubstr("notReadyAddresses"));
  merge(cluster::kPods, "p", R"({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})");
  EXPECT_THAT(endpoints(), ElementsAre("p true"));
  const auto slice = slices().front();
  EXPECT_EQ(doc::to_json(*doc::find(*slice, "metadata", "labels")),
            R"({"l":"m","kubernetes.io/service-name":"s","endpointslice.kubernetes.io/managed-by":)"
            R"("endpointslice-controller.k8s.io"})");
  EXPECT_EQ(doc::to_json(*doc::find(*slice, "ports")), R"([{"name":"web","protocol":"TCP","port":8080}])");
  const auto uid = workloads::uid_of(**store_.get({&cluster::kPods, "default", "p"}));
  EXPECT_EQ(subsets(), R"([{"addresses":[{"ip":"10.0.0.1","nodeName":"here","targetRef":{"kind":"Pod","namespace":)"
                       R"("default","name":"p","uid":")" +
                           uid + R"("}}],"ports":[{"name":"web","protocol":"TCP","port":8080}]}])");
  merge(cluster::kPods, "p", R"({"metadata": {"labels": {"app": "b"}}})");
  EXPECT_TRUE(endpoints().empty());
  merge(cluster::kPods, "p", R"({"metadata": {"labels": {"app": "a"}}})");
  merge(cluster::kPods, "p", R"({"status": {"phase": "Succeeded"}})");
  EXPECT_TRUE(endpoints().empty()) << "one that has ended";
  ASSERT_TRUE(store_.remove({&cluster::kServices, "default", "s"}));
  store_.run();
  EXPECT_TRUE(slices().empty());
  EXPECT_EQ(subsets(), "gone");
}

TEST_F(EndpointsTest, PodsOfWorkflowsAreFoundToo) {
  service();
  pod("p", true, "app: a, workflows.argoproj.io/workflow: w");
  EXPECT_THAT(endpoints(), ElementsAre("p true"));
}

TEST_F(EndpointsTest, AreGroupedByPortsAndInHundreds) {
  service();
  for (int i = 0; i < 150; ++i) pod(fmt::format("p{}", i), true);
  pod("q", true, "app: a", 9090);
  EXPECT_EQ(slices().size(), 3u);
  EXPECT_EQ(endpoints().size(), 151u);
  start();
  EXPECT_EQ(slices().size(), 3u) << "a start makes none twice";
}

TEST_F(EndpointsTest, HeadlessOnesNeedNoPorts) {
  service("clusterIP: None");
  pod("p", true);
  EXPECT_THAT(endpoints(), ElementsAre("p true"));
  EXPECT_NE(doc::find(*slices().front(), "metadata", "labels", "service.kubernetes.io/headless"), nullptr);
}

TEST_F(EndpointsTest, NotReadyOnesMayBePublished) {
  service("clusterIP: None, publishNotReadyAddresses: true");
  pod("p", false);
  EXPECT_THAT(endpoints(), ElementsAre("p true"));
}

TEST_F(EndpointsTest, UsersKeepTheirOwn) {
  make(cluster::kServices,
       "{metadata: {name: s, namespace: default}, spec: {clusterIP: 10.96.1.1, ports: [{port: 80}]}}");
  make(cluster::kEndpoints, "{metadata: {name: s, namespace: default}, subsets: [{addresses: [{ip: 10.1.1.1}]}]}");
  EXPECT_EQ(subsets(), R"([{"addresses":[{"ip":"10.1.1.1"}]}])");
  EXPECT_TRUE(slices().empty());
  ASSERT_TRUE(store_.remove({&cluster::kServices, "default", "s"}));
  store_.run();
  EXPECT_NE(subsets(), "gone");
}

}  // namespace
}  // namespace tiphys::controllers

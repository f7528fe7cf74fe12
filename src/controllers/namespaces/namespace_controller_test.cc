#include "controllers/namespaces/namespace_controller.h"

#include <gmock/gmock.h>

#include <optional>

#include "cluster/custom_definition.h"
#include "controllers/workloads/fields.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

class NamespaceControllerTest : public testing::Test {
 protected:
  NamespaceControllerTest() { start(); }

  void start(std::vector<std::string> kept = {}) {
    controller_ = std::make_shared<NamespaceController>(store_.executor(), store_.store());
    controller_->start(std::move(kept));
    store_.run();
  }
  void make(const cluster::Resource& resource, std::string_view yaml) {
    auto documents = doc::parse_yaml(yaml, "test.yaml");
    ASSERT_TRUE(documents.has_value()) << yaml;
    const auto made = store_.create(resource, std::move(documents->front().root));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    store_.run();
  }
  void make_namespace() { make(cluster::kNamespaces, "{metadata: {name: a}, spec: {finalizers: [kubernetes]}}"); }
  void remove_namespace() {
    ASSERT_TRUE(store_.remove({&cluster::kNamespaces, "", "a"}, {}));
    store_.run();
  }
  std::string state(const char* name = "a") {
    const auto found = store_.get({&cluster::kNamespaces, "", name});
    return found ? std::string(doc::find_string(**found, "status", "phase")) : "gone";
  }
  std::string condition(std::string_view type) {
    const auto found = store_.get({&cluster::kNamespaces, "", "a"});
    if (!found) return "gone";
    for (const doc::Value& one : workloads::list_at(**found, "status", "conditions")) {
      if (doc::find_string(one, "type") != type) continue;
      return std::string(doc::find_string(one, "status")) + " " + std::string(doc::find_string(one, "message"));
    }
    return "none";
  }

  store::TestStore store_;
  std::shared_ptr<NamespaceController> controller_;
};

TEST_F(NamespaceControllerTest, TakesAlongWhatIsInIt) {
  make_namespace();
  make(cluster::kConfigMaps, "{metadata: {name: c, namespace: a}}");
  make(cluster::kConfigMaps, "{metadata: {name: c, namespace: default}}");
  make(cluster::kWorkflows, "{metadata: {name: w, namespace: a}, spec: {}}");
  make(cluster::kCustomResourceDefinitions,
       "{metadata: {name: lamps.example.com}, spec: {group: example.com, scope: Namespaced, names: {plural: lamps, "
       "kind: Lamp, singular: lamp, listKind: LampList}, versions: [{name: v1, served: true, storage: true}]}}");
  const auto names = cluster::names_of(**store_.get({&cluster::kCustomResourceDefinitions, "", "lamps.example.com"}));
  ASSERT_TRUE(names.has_value());
  const cluster::Resource& lamps = cluster::custom_resource(*names);
  make(lamps, "{metadata: {name: l, namespace: a}}");
  remove_namespace();
  EXPECT_EQ(state(), "gone");
  EXPECT_FALSE(store_.get({&lamps, "a", "l"}).has_value());
  EXPECT_FALSE(store_.get({&cluster::kConfigMaps, "a", "c"}).has_value());
  EXPECT_FALSE(store_.get({&cluster::kWorkflows, "a", "w"}).has_value());
  EXPECT_TRUE(store_.get({&cluster::kConfigMaps, "default", "c"}).has_value());
}

TEST_F(NamespaceControllerTest, WaitsForFinalizersAndPods) {
  make_namespace();
  make(cluster::kConfigMaps, "{metadata: {name: c, namespace: a, finalizers: [example.com/mine]}}");
  make(cluster::kPods, "{metadata: {name: p, namespace: a}, spec: {}}");
  remove_namespace();
  EXPECT_EQ(state(), "Terminating");
  EXPECT_EQ(condition("NamespaceContentRemaining"),
            "True Some resources are remaining: configmaps. has 1 resource instances, pods. has 1 resource instances");
  EXPECT_EQ(condition("NamespaceFinalizersRemaining"),
            "True Some content in the namespace has finalizers remaining: example.com/mine in 1 resource instances");
  EXPECT_EQ(condition("NamespaceDeletionContentFailure"),
            "False All content successfully deleted, may be waiting on finalization");

  const auto refused =
      store_.create(cluster::kConfigMaps, doc::Object{{"metadata", doc::Object{{"name", "late"}, {"namespace", "a"}}}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kPermissionDenied);
  EXPECT_EQ(refused.error().message,
            "configmaps \"late\" is forbidden: unable to create new content in namespace a because it is being "
            "terminated");

  start();  // a controller that knows nothing goes on
  ASSERT_TRUE(store_.remove({&cluster::kPods, "a", "p"}, {.grace_seconds = 0}));
  store_.run();
  EXPECT_EQ(condition("NamespaceContentRemaining"),
            "True Some resources are remaining: configmaps. has 1 resource instances");
  auto patch = doc::parse_json(R"({"metadata": {"finalizers": null}})");
  ASSERT_TRUE(store_.patch({&cluster::kConfigMaps, "a", "c"}, cluster::PatchType::kMerge, *patch));
  store_.run();
  EXPECT_EQ(state(), "gone");
}

TEST_F(NamespaceControllerTest, LeavesFinalizersOfOthers) {
  make(cluster::kNamespaces, "{metadata: {name: a}, spec: {finalizers: [kubernetes, example.com/mine]}}");
  remove_namespace();
  EXPECT_EQ(state(), "Terminating");
  EXPECT_EQ(condition("NamespaceContentRemaining"), "False All content successfully removed");
  const auto left = store_.get({&cluster::kNamespaces, "", "a"});
  EXPECT_EQ(doc::to_json(*doc::find(**left, "spec", "finalizers")), R"(["example.com/mine"])");
}

TEST_F(NamespaceControllerTest, MakesThoseThatAreKept) {
  start({"default", "kube-node-lease"});
  EXPECT_EQ(state("kube-node-lease"), "Active");
  ASSERT_TRUE(store_.remove({&cluster::kNamespaces, "", "kube-node-lease"}, {}));
  store_.run();
  EXPECT_EQ(state("kube-node-lease"), "Active") << "made anew";
  for (const char* name : {"default", "kube-system", "kube-public"}) {
    const auto removed = store_.remove({&cluster::kNamespaces, "", name}, {});
    EXPECT_FALSE(removed.has_value()) << name;
  }
}

TEST_F(NamespaceControllerTest, GoesOnAfterACrashAtAnyStep) {
  for (int steps = 0; steps < 400; ++steps) {
    make_namespace();
    for (int i = 0; i < 3; ++i) {
      make(cluster::kConfigMaps, "{metadata: {name: c" + std::to_string(i) + ", namespace: a}}");
    }
    store_->remove({&cluster::kNamespaces, "", "a"}, {}, [](const auto&) {});
    int done = 0;
    while (done < steps && store_.executor().step()) ++done;
    controller_.reset();
    store_.run();
    start();
    ASSERT_EQ(state(), "gone") << steps;
    if (done < steps) return;
  }
  FAIL() << "the deletion takes too many steps";
}

}  // namespace
}  // namespace tiphys::controllers

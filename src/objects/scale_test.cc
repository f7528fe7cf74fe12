#include "objects/scale.h"

#include <gtest/gtest.h>

#include "objects/object_api.h"
#include "store/testing.h"

namespace tiphys::objects {
namespace {

class ScaleTest : public testing::Test {
 protected:
  ScaleTest() {
    auto made = doc::parse_json(R"({"metadata": {"name": "d", "namespace": "default"}, "spec": {"replicas": 2,
        "selector": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]}},
        "status": {"replicas": 1}})");
    EXPECT_TRUE(store.create(cluster::kDeployments, std::move(*made)).has_value());
    EXPECT_TRUE(store
                    .create(cluster::kJobs, *doc::parse_json(R"({"metadata": {"name": "j", "namespace": "default"},
        "spec": {}})"))
                    .has_value());
  }
  template <typename T>
  Outcome<T> wait(std::move_only_function<void(Reply<T>)> start) {
    std::optional<Outcome<T>> answer;
    start([&](Outcome<T> came) { answer = std::move(came); });
    store.run();
    EXPECT_TRUE(answer.has_value());
    return std::move(*answer);
  }
  Target target(std::string_view kind, std::string_view name, std::string_view part = "") {
    const bool job = kind == "Job";
    return {kinds.find_kind(job ? "batch/v1" : "apps/v1", kind), "default", std::string(name), std::string(part)};
  }
  doc::Value deployment() { return **store.get({&cluster::kDeployments, "default", "d"}); }

  store::TestStore store;
  Kinds kinds;
  ObjectApi api{{.executor = store.executor(), .store = store.store(), .kinds = kinds}};
};

TEST_F(ScaleTest, IsReadAndWritten) {
  const auto read =
      wait<cluster::Object>([&](auto reply) { api.get(target("Deployment", "d", "scale"), std::move(reply)); });
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(doc::find_string(**read, "kind"), "Scale");
  EXPECT_EQ(doc::find_string(**read, "status", "selector"), "a=b,c");
  EXPECT_EQ(doc::find(**read, "spec", "replicas")->get_int64(), 2);
  int replicas = 5;
  for (const auto form : {cluster::PatchType::kMerge, cluster::PatchType::kStrategic}) {
    const auto written = wait<Written>([&](auto reply) {
      api.patch(target("Deployment", "d", "scale"), form, doc::Object{{"spec", doc::Object{{"replicas", ++replicas}}}},
                {}, std::move(reply));
    });
    ASSERT_TRUE(written.has_value()) << written.error().message;
    EXPECT_EQ(doc::find_string(*written->object, "kind"), "Scale");
    EXPECT_EQ(doc::find(deployment(), "spec", "replicas")->get_int64(), replicas);
  }
  const auto refused = wait<Written>([&](auto reply) {
    api.update(target("Deployment", "d", "scale"), *doc::parse_json(R"({"kind": "Scale", "spec": {"replicas": -1}})"),
               {}, std::move(reply));
  });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, 422U);
}

TEST_F(ScaleTest, AReplicationControllerSelectsByAMap) {
  const auto object = doc::parse_json(R"({"kind": "ReplicationController", "metadata": {"name": "r"},
      "spec": {"replicas": 1, "selector": {"a": "b", "c": "d"}}})");
  EXPECT_EQ(doc::find_string(scale_of(*object, {}), "status", "selector"), "a=b,c=d");
}

TEST_F(ScaleTest, FinalizersSayWhatBecomesOfDependents) {
  const auto finalizer = [](const doc::Value& object) {
    const doc::Value* list = doc::find(object, "metadata", "finalizers");
    return list && list->is_array() && !list->get_array().empty() ? doc::scalar_text(list->get_array()[0]) : "";
  };
  RemoveOptions foreground;
  foreground.propagation = cluster::Propagation::kForeground;
  auto removed =
      wait<Removed>([&](auto reply) { api.remove(target("Deployment", "d"), foreground, std::move(reply)); });
  ASSERT_TRUE(removed.has_value());
  EXPECT_FALSE(removed->gone);
  EXPECT_EQ(finalizer(deployment()), "foregroundDeletion");
  // Pods of a Job stay unless a client says otherwise.
  removed = wait<Removed>([&](auto reply) { api.remove(target("Job", "j"), {}, std::move(reply)); });
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(finalizer(**store.get({&cluster::kJobs, "default", "j"})), "orphan");
}

}  // namespace
}  // namespace tiphys::objects

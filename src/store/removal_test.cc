// What deletions do, and what goes with them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/test_objects.h"

namespace tiphys::store {
namespace {

using cluster::kConfigMaps;
using cluster::kNamespaces;
using cluster::kPods;
using cluster::kWorkflows;

TEST(StoreRemove, TakesAlongWhatIsOwned) {
  TestStore store;
  const auto wf = store.create(kWorkflows, workflow("wf"));
  const std::string uid = text(*wf, "metadata", "uid");
  ASSERT_TRUE(
      store.update_workflow_status(key(kWorkflows, "wf"), {.nodes = {{"a", "{}"}}, .fields = {{"phase", "Running"}}}));
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(store.create(kPods, pod(fmt::format("done-{}", i), uid, "Succeeded")));
  ASSERT_TRUE(store.create(kPods, pod("running", uid)));
  ASSERT_TRUE(store.create(kPods, pod("other")));
  ASSERT_TRUE(store.remove(key(kWorkflows, "wf")));
  store.run();
  EXPECT_EQ(names(store.list(kPods)), (std::vector<std::string>{"default/other", "default/running"}));
  EXPECT_EQ(text(*store.get(key(kPods, "running")), "metadata", "deletionTimestamp"), "2023-11-14T22:13:50Z");
  EXPECT_EQ(store.journal(uid)->size(), 0U);
  // The node agent has stopped it.
  ASSERT_TRUE(store.remove(key(kPods, "running"), {.grace_seconds = 0}));
  EXPECT_EQ(names(store.list(kPods)), (std::vector<std::string>{"default/other"}));
}

TEST(StoreRemove, CollectsWhatAppearsTooLate) {
  TestStore store;
  const auto wf = store.create(kWorkflows, workflow("wf"));
  ASSERT_TRUE(store.remove(key(kWorkflows, "wf")));
  ASSERT_TRUE(store.create(kPods, pod("late", text(*wf, "metadata", "uid"), "Succeeded")));
  store.run();
  EXPECT_EQ(count(store, kPods), 0U);
}

TEST(StoreRemove, KeepsWhatHasAnotherOwner) {
  TestStore store;
  const auto wf = store.create(kWorkflows, workflow("wf"));
  const auto other = store.create(kConfigMaps, named("other"));
  doc::Value shared = pod("shared", text(*wf, "metadata", "uid"));
  shared.at("metadata")
      .at("ownerReferences")
      .as_array()
      .push_back(
          {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "other"}, {"uid", text(*other, "metadata", "uid")}});
  ASSERT_TRUE(store.create(kPods, shared));
  ASSERT_TRUE(store.remove(key(kWorkflows, "wf")));
  store.run();
  const auto kept = store.get(key(kPods, "shared"));
  ASSERT_TRUE(kept);
  EXPECT_EQ((*kept)->at("metadata").at("ownerReferences").as_array().size(), 1U);
  EXPECT_EQ(text(*kept, "metadata", "deletionTimestamp"), "");
  ASSERT_TRUE(store.remove(key(kConfigMaps, "other")));
  store.run();
  EXPECT_NE(text(*store.get(key(kPods, "shared")), "metadata", "deletionTimestamp"), "");
}

doc::Value owner_of(std::string_view name, std::string_view finalizer) {
  doc::Value object = named(name);
  object.at("metadata").as_object()["finalizers"] = {finalizer};
  return object;
}

doc::Value owned(doc::Value object, const cluster::Object& owner) {
  object.at("metadata").as_object()["ownerReferences"] = {{{"apiVersion", "v1"},
                                                           {"kind", "ConfigMap"},
                                                           {"name", text(owner, "metadata", "name")},
                                                           {"uid", text(owner, "metadata", "uid")},
                                                           {"blockOwnerDeletion", true}}};
  return object;
}

TEST(StoreRemove, LetsGoOfWhatIsToStay) {
  TestStore store;
  const auto owner = store.create(kConfigMaps, owner_of("owner", "orphan"));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(store.create(kConfigMaps, owned(named(fmt::format("c-{}", i)), *owner)));
  ASSERT_TRUE(store.remove(key(kConfigMaps, "owner")));
  store.run();
  EXPECT_EQ(store.get(key(kConfigMaps, "owner")).error().code, Code::kNotFound);
  EXPECT_EQ(count(store, kConfigMaps), 100U);
  EXPECT_EQ(doc::find(**store.get(key(kConfigMaps, "c-7")), "metadata", "ownerReferences"), nullptr);
}

TEST(StoreRemove, HasWhatIsOwnedGoFirst) {
  TestStore store;
  const auto owner = store.create(kConfigMaps, owner_of("owner", "foregroundDeletion"));
  const auto middle = store.create(kConfigMaps, owned(named("middle"), *owner));
  ASSERT_TRUE(store.create(kConfigMaps, owned(named("plain"), *owner)));
  ASSERT_TRUE(store.create(kPods, owned(pod("p"), *middle)));
  ASSERT_TRUE(store.remove(key(kConfigMaps, "owner")));
  store.run();
  EXPECT_EQ(names(store.list(kConfigMaps)), (std::vector<std::string>{"default/middle", "default/owner"}));
  EXPECT_NE(text(*store.get(key(kPods, "p")), "metadata", "deletionTimestamp"), "");
  ASSERT_TRUE(store.remove(key(kPods, "p"), {.grace_seconds = 0}));
  store.run();
  EXPECT_EQ(count(store, kConfigMaps), 0U);
}

TEST(StoreRemove, GoesWithoutDependents) {
  TestStore store;
  ASSERT_TRUE(store.create(kConfigMaps, owner_of("a", "foregroundDeletion")));
  ASSERT_TRUE(store.create(kConfigMaps, owner_of("b", "orphan")));
  for (const char* name : {"a", "b"}) ASSERT_TRUE(store.remove(key(kConfigMaps, name)));
  store.run();
  EXPECT_EQ(count(store, kConfigMaps), 0U);
}

TEST(StoreReopen, GoesOnWithWhatGoesFirst) {
  for (const char* finalizer : {"foregroundDeletion", "orphan"}) {
    const TempDir temp;
    const std::string path = temp.path() + "/tiphys.db";
    bool stop = false;
    {
      TestStore store({.path = path,
                       .before_commit = [&] { return stop ? Status(fail(Code::kUnavailable, "stopped")) : Status(); }});
      const auto owner = store.create(kConfigMaps, owner_of("owner", finalizer));
      ASSERT_TRUE(store.create(kConfigMaps, owned(named("kept"), *owner)));
      ASSERT_TRUE(store.remove(key(kConfigMaps, "owner")));
      stop = true;
    }
    TestStore store({.path = path, .seed = 2});
    EXPECT_EQ(count(store, kConfigMaps), 2U) << finalizer;
    store.run();
    const bool stays = std::string_view(finalizer) == "orphan";
    EXPECT_EQ(count(store, kConfigMaps), stays ? 1U : 0U) << finalizer;
  }
}

TEST(StoreRemove, OfANamespaceTakesWhatIsInIt) {
  TestStore store;
  ASSERT_TRUE(store.create(kNamespaces, named("team")));
  ASSERT_TRUE(store.create(kConfigMaps, named("c", "team")));
  ASSERT_TRUE(store.create(kConfigMaps, named("c")));
  ASSERT_TRUE(store.create(kWorkflows, named("w", "team", {{"workflows.argoproj.io/completed", "true"}})));
  ASSERT_TRUE(store.remove(key(kNamespaces, "team")));
  store.run();
  EXPECT_EQ(names(store.list(kConfigMaps)), (std::vector<std::string>{"default/c"}));
  EXPECT_EQ(count(store, kWorkflows), 0U);
}

TEST(StoreRemove, OfANamespaceTakesWhatItOwnsElsewhere) {
  TestStore store;
  const auto ns = store.create(kNamespaces, {{"metadata", {{"name", "owner"}}}});
  doc::Value object = named("owned");
  object.at("metadata").as_object()["ownerReferences"] = {
      {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"name", "owner"}, {"uid", text(*ns, "metadata", "uid")}}};
  ASSERT_TRUE(store.create(kConfigMaps, object));
  ASSERT_TRUE(store.create(kConfigMaps, named("other")));
  ASSERT_TRUE(store.remove(key(kNamespaces, "owner")));
  store.run();
  EXPECT_EQ(names(store.list(kConfigMaps)), std::vector<std::string>{"default/other"});
}

TEST(StoreRemove, GivesARunningPodItsGrace) {
  TestStore store;
  doc::Value object = pod("p");
  object.as_object()["spec"] = {{"terminationGracePeriodSeconds", 5}};
  ASSERT_TRUE(store.create(kPods, object));
  const auto first = store.remove(key(kPods, "p"));
  ASSERT_TRUE(first);
  EXPECT_EQ(text(*first, "metadata", "deletionTimestamp"), "2023-11-14T22:13:25Z");
  EXPECT_EQ(doc::find(**first, "metadata", "deletionGracePeriodSeconds")->as_int64(), 5);
  // A longer grace changes nothing, a shorter one does.
  EXPECT_EQ(*store.remove(key(kPods, "p"), {.grace_seconds = 60}).value(), **first);
  EXPECT_EQ(text(*store.remove(key(kPods, "p"), {.grace_seconds = 1}), "metadata", "deletionTimestamp"),
            "2023-11-14T22:13:21Z");
  EXPECT_EQ(store.remove(key(kPods, "p"), {.uid = "other", .grace_seconds = 0}).error().code, Code::kAborted);
  ASSERT_TRUE(store.remove(key(kPods, "p"), {.grace_seconds = 0}));
  EXPECT_EQ(store.get(key(kPods, "p")).error().code, Code::kNotFound);
}

TEST(StoreRemove, WaitsForFinalizers) {
  TestStore store;
  doc::Value object = workflow("w");
  object.at("metadata").as_object()["finalizers"] = {"workflows.argoproj.io/artifact-gc"};
  ASSERT_TRUE(store.create(kWorkflows, object));
  ASSERT_TRUE(store.remove(key(kWorkflows, "w")));
  const auto waiting = store.get(key(kWorkflows, "w"));
  ASSERT_TRUE(waiting);
  EXPECT_NE(text(*waiting, "metadata", "deletionTimestamp"), "");
  doc::Value freed = **waiting;
  freed.at("metadata").as_object().erase("finalizers");
  ASSERT_TRUE(store.update(key(kWorkflows, "w"), freed));
  EXPECT_EQ(store.get(key(kWorkflows, "w")).error().code, Code::kNotFound);
}

TEST(StoreReopen, GoesOnCollecting) {
  const TempDir temp;
  const std::string path = temp.path() + "/tiphys.db";
  bool stop = false;
  {
    TestStore store(
        {.path = path, .before_commit = [&] { return stop ? Status(fail(Code::kUnavailable, "stopped")) : Status(); }});
    const auto wf = store.create(kWorkflows, workflow("wf"));
    ASSERT_TRUE(store.update_workflow_status(key(kWorkflows, "wf"), {.nodes = {{"a", "{}"}}}));
    ASSERT_TRUE(store.create(kPods, pod("p", text(*wf, "metadata", "uid"), "Failed")));
    ASSERT_TRUE(store.remove(key(kWorkflows, "wf")));
    stop = true;
  }
  TestStore store({.path = path});
  EXPECT_EQ(count(store, kPods), 1U);
  store.run();
  EXPECT_EQ(count(store, kPods), 0U);
}

}  // namespace
}  // namespace tiphys::store

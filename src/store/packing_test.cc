// Objects at rest are their texts: what is read from those is what was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/revision.h"
#include "store/store.h"
#include "store/testing.h"

namespace tiphys::store {
namespace {

using cluster::kConfigMaps;
using cluster::kPods;
using cluster::kWorkflows;
using cluster::Selector;

const char* const kPod = R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"n","uid":"u-1",
  "labels":{"app":"web","a.b/c":"x"},"resourceVersion":"7","ownerReferences":[{"uid":"o-1"}]},
  "spec":{"nodeName":"here","unschedulable":true,"count":3},"status":{"phase":"Running"},"odd.key":{"x":"y"}})";

RevisionPtr revision(bool packed) {
  auto made = std::make_shared<const Revision>(kPods, *doc::parse_json(kPod), Revision::Parts{});
  if (packed) {
    made->keep_text(std::make_shared<const std::string>(doc::to_json(*made->base())));
    made->pack();
  }
  return made;
}

TEST(PackedRevision, IsTheSameObject) {
  const RevisionPtr packed = revision(true), whole = revision(false);
  EXPECT_EQ(*packed->base(), *whole->base());
  EXPECT_EQ(*packed->object(), *whole->object());
  EXPECT_EQ(*packed->json(), *whole->json());
  EXPECT_EQ(packed->copy(), whole->copy());
  EXPECT_EQ(packed->uid(), "u-1");
  EXPECT_EQ(packed->owner(), "o-1");
  EXPECT_EQ(packed->resource_version(), 7u);
}

TEST(PackedRevision, IsParsedOnceForAllWhoHaveIt) {
  const RevisionPtr packed = revision(true);
  const cluster::Object one = packed->object();
  EXPECT_EQ(one, packed->object());
}

TEST(PackedRevision, HasItsDocumentBesideTheTextUntilItIsPacked) {
  const RevisionPtr whole = revision(false);
  const auto text = std::make_shared<const std::string>(doc::to_json(*whole->base()));
  const doc::Value* document = whole->base().get();
  whole->keep_text(text);
  EXPECT_EQ(whole->base().get(), document);
  EXPECT_EQ(whole->json(), text);
}

TEST(PackedRevision, TakesNoMoreThanItsText) {
  TestStore store({.path = ":memory:"});
  doc::Value pod = *doc::parse_json(R"({"metadata": {"name": "p", "namespace": "n"}, "spec": {}})");
  pod.at("metadata").as_object()["annotations"] = doc::Object{{"a", std::string(1500, 'x')}};
  ASSERT_TRUE(store.create(kPods, std::move(pod)).has_value());
  store.run();
  cluster::ListOptions options;
  options.as_json = true;
  std::optional<std::size_t> spare;
  store.store().list(kPods, std::move(options), [&](const Result<cluster::List>& list) {
    ASSERT_TRUE(list && list->texts.size() == 1);
    spare = list->texts.front()->capacity() - list->texts.front()->size();
  });
  store.run();
  EXPECT_EQ(spare, 0u) << "room that the text was written with";
}

TEST(PackedRevision, IsSelectedAsTheObjectIs) {
  struct Case {
    const char *labels, *fields;
    bool matches;
  };
  const RevisionPtr packed = revision(true), whole = revision(false);
  for (const auto& [labels, fields, expected] : {
           Case{"", "", true},
           Case{"app=web", "", true},
           Case{"app=db", "", false},
           Case{"app,a.b/c in (x,y)", "", true},
           Case{"!other", "", true},
           Case{"!app", "", false},
           Case{"", "metadata.name=p", true},
           Case{"", "metadata.name=p,metadata.namespace!=n", false},
           Case{"", "status.phase=Running,spec.nodeName=here", true},
           Case{"", "status.phase!=Running", false},
           Case{"", "spec.none=", true},
           Case{"", "spec.nodeName.deeper=x", false},
           Case{"app=web", "status.phase=Failed", false},
           Case{"app=web", "status.phase=Running", true},
       }) {
    const auto of_labels = Selector::parse(labels), of_fields = Selector::parse_fields(fields);
    ASSERT_TRUE(of_labels && of_fields) << labels << fields;
    EXPECT_EQ(packed->matches(*of_labels, *of_fields), expected) << labels << " " << fields;
    EXPECT_EQ(whole->matches(*of_labels, *of_fields), expected) << labels << " " << fields;
  }
}

TEST(Texts, OfAListAreItsObjects) {
  TestStore store;
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(store.create(kConfigMaps, {{"metadata", {{"name", name}}}, {"data", {{"k", "v"}}}}));
    ASSERT_TRUE(store.create(kWorkflows, {{"metadata", {{"name", name}}}, {"spec", {{"entrypoint", "main"}}}}));
    ASSERT_TRUE(store.update_workflow_status(
        {&kWorkflows, "default", name},
        {.nodes = {{"one", R"({"id":"one"})"}, {"two", "{}"}}, .fields = {{"phase", "Running"}}}));
  }
  for (const cluster::Resource* resource : {&kConfigMaps, &kWorkflows}) {
    for (const bool with_nodes : {false, true}) {
      const auto objects = store.list(*resource, {.limit = 2, .with_nodes = with_nodes});
      const auto texts = store.list(*resource, {.limit = 2, .with_nodes = with_nodes, .as_json = true});
      ASSERT_TRUE(objects && texts);
      EXPECT_EQ(texts->continue_token, objects->continue_token);
      EXPECT_TRUE(texts->items.empty());
      ASSERT_EQ(texts->texts.size(), 2u);
      for (int i = 0; i < 2; ++i) EXPECT_EQ(*doc::parse_json(*texts->texts[i]), *objects->items[i]);
    }
  }
}

TEST(Texts, OfAWatchAreItsObjects) {
  TestStore store;
  std::vector<std::string> told;
  const auto watch = store->watch(kConfigMaps, {.as_json = true},
                                  {.on_event =
                                       [&](const cluster::WatchEvent& event) {
                                         if (!event.text) return;
                                         const auto object = doc::parse_json(*event.text);
                                         ASSERT_TRUE(object);
                                         EXPECT_EQ(std::to_string(event.version),
                                                   doc::find_string(*object, "metadata", "resourceVersion"));
                                         told.emplace_back(doc::find_string(*object, "data", "k"));
                                       },
                                   .on_end = [](const Error&) {}});
  store.run();
  const cluster::Key a{&kConfigMaps, "default", "a"};
  ASSERT_TRUE(store.create(kConfigMaps, {{"metadata", {{"name", "a"}}}, {"data", {{"k", "1"}}}}));
  ASSERT_TRUE(store.patch(a, cluster::PatchType::kMerge, {{"data", {{"k", "2"}}}}));
  // Two in one transaction, of which only the last was written.
  store->patch(a, cluster::PatchType::kMerge, {{"data", {{"k", "3"}}}}, [](auto) {});
  store->patch(a, cluster::PatchType::kMerge, {{"data", {{"k", "4"}}}}, [](auto) {});
  store.run();
  EXPECT_THAT(told, testing::ElementsAre("1", "2", "3", "4"));
}

TEST(Texts, AreChangedAsObjectsAre) {
  TestStore store;
  const cluster::Key a{&kConfigMaps, "default", "a"};
  ASSERT_TRUE(store.create(kConfigMaps, {{"metadata", {{"name", "a"}}}, {"data", {{"k", "1"}}}}));
  const auto before = store.get(a);
  // What changes nothing is no change.
  ASSERT_TRUE(store.patch(a, cluster::PatchType::kMerge, {{"data", {{"k", "1"}}}}));
  EXPECT_EQ(**store.get(a), **before);
  ASSERT_TRUE(store.patch(a, cluster::PatchType::kMerge, {{"data", {{"j", "2"}}}}));
  EXPECT_EQ((**store.get(a)).at("data"), (doc::Value{{"k", "1"}, {"j", "2"}}));
}

}  // namespace
}  // namespace tiphys::store

#include "store/store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_objects.h"

namespace tiphys::store {
namespace {

using cluster::kConfigMaps;
using cluster::kEvents;
using cluster::Key;
using cluster::kNamespaces;
using cluster::kPods;
using cluster::kSecrets;
using cluster::kWorkflows;
using cluster::ListOptions;
using cluster::PatchType;
using cluster::Selector;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(StoreCreate, SetsWhatTheServerSets) {
  TestStore store;
  const auto made = store.create(kWorkflows, workflow("one"));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(text(*made, "apiVersion"), "argoproj.io/v1alpha1");
  EXPECT_EQ(text(*made, "kind"), "Workflow");
  EXPECT_EQ(text(*made, "metadata", "uid").size(), 36U);
  EXPECT_EQ(text(*made, "metadata", "creationTimestamp"), "2023-11-14T22:13:20Z");
  EXPECT_FALSE(text(*made, "metadata", "resourceVersion").empty());
  EXPECT_EQ(doc::find(**made, "metadata", "generation")->as_int64(), 1);
  EXPECT_EQ(text(*made, "spec", "entrypoint"), "main");
  EXPECT_EQ(*store.get(key(kWorkflows, "one")).value(), **made);
}

TEST(StoreCreate, GeneratesAFreeName) {
  TestStore store;
  const auto made = store.create(kWorkflows, {{"metadata", {{"generateName", "train-"}}}});
  ASSERT_TRUE(made);
  EXPECT_EQ(text(*made, "metadata", "name").size(), 11U);
  EXPECT_THAT(text(*made, "metadata", "name"), testing::StartsWith("train-"));
  EXPECT_EQ(text(*made, "metadata", "namespace"), "default");
}

TEST(StoreCreate, EncodesStringDataOfASecret) {
  TestStore store;
  doc::Value secret = named("s");
  secret.as_object()["data"] = {{"a", "YQ=="}};
  secret.as_object()["stringData"] = {{"b", "be"}, {"c", "see"}, {"d", "\xff"}, {"e", ""}};
  const auto made = store.create(kSecrets, secret);
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->at("data"), (doc::Value{{"a", "YQ=="}, {"b", "YmU="}, {"c", "c2Vl"}, {"d", "/w=="}, {"e", ""}}));
  EXPECT_FALSE((*made)->as_object().contains("stringData"));
}

TEST(StoreCreate, Refuses) {
  TestStore store;
  ASSERT_TRUE(store.create(kPods, pod("main")));
  struct Case {
    const char* rule;
    const cluster::Resource* resource;
    doc::Value object;
    Code code;
    const char* message;
  };
  for (const auto& [rule, resource, object, code, message] : {
           Case{"a taken name", &kPods, pod("main"), Code::kAlreadyExists, "pods \"main\" already exists"},
           Case{"no name",
                &kPods,
                {{"metadata", doc::Object{}}},
                Code::kInvalidArgument,
                "name or generateName is required"},
           Case{"a bad name", &kPods, named("Main"), Code::kInvalidArgument,
                "Pod \"Main\" is invalid: metadata.name: Invalid value: \"Main\": a lowercase RFC 1123 subdomain"},
           Case{"a name that leaves the folder", &kPods, named("../x"), Code::kInvalidArgument, "RFC 1123"},
           Case{"a long name", &kPods, named(std::string(254, 'a')), Code::kInvalidArgument, "at most 253"},
           Case{"a bad namespace", &kPods, named("x", "A_B"), Code::kInvalidArgument, "RFC 1123"},
           Case{"another kind",
                &kPods,
                {{"kind", "Job"}, {"metadata", {{"name", "x"}}}},
                Code::kInvalidArgument,
                "kind of a pod is Pod, not Job"},
           Case{"no object", &kPods, doc::Value("x"), Code::kInvalidArgument, "a pod must be an object"},
       }) {
    const auto made = store.create(*resource, object);
    ASSERT_FALSE(made) << rule;
    EXPECT_EQ(made.error().code, code) << rule;
    EXPECT_THAT(made.error().message, HasSubstr(message)) << rule;
  }
}

TEST(StoreGet, TellsWhatIsMissing) {
  TestStore store;
  const auto found = store.get(key(kWorkflows, "none"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error(), (Error{Code::kNotFound, "workflows.argoproj.io \"none\" not found"}));
}

TEST(StoreGet, WaitsForTheWriteBeforeIt) {
  TestStore store;
  std::vector<std::string> order;
  store->create(kPods, pod("p"), [&](auto made) { order.push_back(made ? "created" : "failed"); });
  store->get(key(kPods, "p"), [&](auto found) { order.push_back(found ? "found" : "missing"); });
  store->list(kPods, {}, [&](auto list) { order.push_back(fmt::format("{} listed", list->items.size())); });
  EXPECT_THAT(order, IsEmpty());
  store.run();
  EXPECT_THAT(order, ElementsAre("created", "found", "1 listed"));
}

TEST(StoreNamespaces, HasDefaultAndTakesOthersUnmade) {
  TestStore store;
  EXPECT_TRUE(store.get(key(kNamespaces, "default")));
  EXPECT_TRUE(store.create(kConfigMaps, named("c", "elsewhere")));
  EXPECT_EQ(store.remove(key(kNamespaces, "default")).error().code, Code::kPermissionDenied);
}

TEST(StoreUpdate, ReplacesAndRaises) {
  TestStore store;
  const auto made = store.create(kWorkflows, workflow("w"));
  doc::Value changed = **made;
  changed.as_object()["spec"].as_object()["suspend"] = true;
  changed.at("metadata").as_object()["uid"] = "";
  changed.at("metadata").as_object()["creationTimestamp"] = "1999-01-01T00:00:00Z";
  const auto updated = store.update(key(kWorkflows, "w"), changed);
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ(doc::find(**updated, "metadata", "generation")->as_int64(), 2);
  EXPECT_EQ(text(*updated, "metadata", "uid"), text(*made, "metadata", "uid"));
  EXPECT_EQ(text(*updated, "metadata", "creationTimestamp"), text(*made, "metadata", "creationTimestamp"));
  EXPECT_NE(text(*updated, "metadata", "resourceVersion"), text(*made, "metadata", "resourceVersion"));

  const auto stale = store.update(key(kWorkflows, "w"), **made);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::kAborted);
  EXPECT_EQ(stale.error().message,
            "Operation cannot be fulfilled on workflows.argoproj.io \"w\": the object has been modified; please apply "
            "your changes to the latest version and try again");
}

TEST(StoreUpdate, OfNothingWritesNothing) {
  TestStore store;
  const auto made = store.create(kPods, pod("p"));
  const auto updated = store.update(key(kPods, "p"), **made);
  ASSERT_TRUE(updated);
  EXPECT_EQ(text(*updated, "metadata", "resourceVersion"), text(*made, "metadata", "resourceVersion"));
}

TEST(StoreUpdate, LeavesNodesAlone) {
  TestStore store;
  const auto made = store.create(kWorkflows, workflow("w"));
  ASSERT_TRUE(store.update_workflow_status(key(kWorkflows, "w"), {.nodes = {{"n1", R"({"id":"n1"})"}}}));
  doc::Value changed = **made;
  changed.as_object()["status"] = {{"phase", "Running"}, {"nodes", {{"n2", doc::Object{}}}}};
  ASSERT_TRUE(store.update(key(kWorkflows, "w"), changed));
  const auto found = store.get(key(kWorkflows, "w"));
  EXPECT_EQ((*found)->at("status"), (doc::Value{{"phase", "Running"}, {"nodes", {{"n1", {{"id", "n1"}}}}}}));
}

TEST(StorePatch, ConflictsOnAnOldVersion) {
  TestStore store;
  const auto made = store.create(kPods, pod("p"));
  ASSERT_TRUE(store.patch(key(kPods, "p"), PatchType::kMerge, {{"status", {{"phase", "Succeeded"}}}}));
  EXPECT_EQ(text(*store.get(key(kPods, "p")), "status", "phase"), "Succeeded");
  const auto stale =
      store.patch(key(kPods, "p"), PatchType::kMerge,
                  {{"metadata", {{"resourceVersion", text(*made, "metadata", "resourceVersion")}}}, {"spec", 1}});
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::kAborted);
}

TEST(StoreList, OrdersFiltersAndPages) {
  TestStore store;
  for (const char* ns : {"b", "a", "a-b"}) {
    for (const char* name : {"y", "x"}) {
      ASSERT_TRUE(
          store.create(kWorkflows, named(name, ns, {{"n", name}, {"workflows.argoproj.io/completed", "true"}})));
      ASSERT_TRUE(store.create(kWorkflows, named(std::string(name) + "-live", ns, {{"n", name}})));
    }
  }
  struct Case {
    const char* rule;
    ListOptions options;
    std::vector<std::string> names;
  };
  const auto labels = [](const char* selector) { return *Selector::parse(selector); };
  const auto fields = [](const char* selector) { return *Selector::parse_fields(selector); };
  for (const auto& [rule, options, expected] : {
           Case{"all, by namespace then name",
                {},
                {"a/x", "a/x-live", "a/y", "a/y-live", "a-b/x", "a-b/x-live", "a-b/y", "a-b/y-live", "b/x", "b/x-live",
                 "b/y", "b/y-live"}},
           Case{"one namespace",
                {
                    .ns = "a",
                },
                {"a/x", "a/x-live", "a/y", "a/y-live"}},
           Case{"a label",
                {
                    .ns = "a",
                    .labels = labels("n=x"),
                },
                {"a/x", "a/x-live"}},
           Case{"only live ones",
                {
                    .ns = "a",
                    .labels = labels("workflows.argoproj.io/completed!=true"),
                },
                {"a/x-live", "a/y-live"}},
           Case{"only ended ones",
                {
                    .ns = "a",
                    .labels = labels("workflows.argoproj.io/completed=true"),
                },
                {"a/x", "a/y"}},
           Case{"an ended name",
                {
                    .ns = "a-b",
                    .fields = fields("metadata.name=x"),
                },
                {"a-b/x"}},
           Case{"a live name",
                {
                    .ns = "a-b",
                    .fields = fields("metadata.name=x-live"),
                },
                {"a-b/x-live"}},
           Case{"a name in all namespaces",
                {
                    .fields = fields("metadata.name=x"),
                },
                {"a/x", "a-b/x", "b/x"}},
           Case{"a namespace without objects",
                {
                    .ns = "c",
                },
                {}},
       }) {
    EXPECT_EQ(names(store.list(kWorkflows, options)), expected) << rule;
    std::vector<std::string> paged;
    ListOptions page = options;
    page.limit = 1;
    do {
      const auto list = store.list(kWorkflows, page);
      ASSERT_TRUE(list);
      EXPECT_LE(list->items.size(), 1U);
      for (auto& name : names(list)) paged.push_back(name);
      page.continue_token = list->continue_token;
    } while (!page.continue_token.empty());
    EXPECT_EQ(paged, expected) << rule << ", page by page";
  }
}

TEST(StoreList, RefusesAForeignToken) {
  TestStore store;
  EXPECT_EQ(store.list(kPods, {.continue_token = "x"}).error().code, Code::kInvalidArgument);
}

TEST(StoreList, FindsThePodsOfSomeWorkflows) {
  TestStore store;
  const auto pods_of = [&](const char* selector) {
    return names(store.list(kPods, {.labels = *Selector::parse(selector)}));
  };
  for (const char* workflow : {"a", "b", "c", ""}) {
    for (const char* phase : {"Running", "Succeeded"}) {
      doc::Value made = named(fmt::format("{}-{}", *workflow ? workflow : "none", phase[0] == 'R' ? "live" : "ended"),
                              "x", {{"workflows.argoproj.io/workflow", workflow}});
      made.as_object()["status"] = {{"phase", phase}};
      ASSERT_TRUE(store.create(kPods, std::move(made)));
    }
  }
  using Names = std::vector<std::string>;
  EXPECT_EQ(pods_of("workflows.argoproj.io/workflow=b"), (Names{"x/b-ended", "x/b-live"}));
  EXPECT_EQ(pods_of("workflows.argoproj.io/workflow in (a, c)"),
            (Names{"x/a-ended", "x/a-live", "x/c-ended", "x/c-live"}));
  EXPECT_EQ(pods_of("workflows.argoproj.io/workflow="), (Names{"x/none-ended", "x/none-live"}));
  EXPECT_EQ(pods_of("workflows.argoproj.io/workflow in (a,)"),
            (Names{"x/a-ended", "x/a-live", "x/none-ended", "x/none-live"}));
  EXPECT_EQ(
      names(store.list(kPods, {.labels = *Selector::parse("workflows.argoproj.io/workflow"),
                               .fields = *Selector::parse_fields("status.phase!=Succeeded,status.phase!=Failed")})),
      (Names{"x/a-live", "x/b-live", "x/c-live", "x/none-live"}));
}

TEST(StoreList, ReadsLongOnesInSlices) {
  TestStore store;
  for (int i = 0; i < 1000; ++i) {
    store->create(kPods, pod(fmt::format("p{:04}", i), "", i % 3 == 0 ? "Running" : "Succeeded"), [](auto) {});
  }
  store.run();
  const auto all = names(store.list(kPods));
  EXPECT_EQ(all.size(), 1000U);
  EXPECT_TRUE(std::ranges::is_sorted(all));
  const auto part = store.list(kPods, {
                                          .labels = *Selector::parse("workflows.argoproj.io/workflow=wf"),
                                          .fields = *Selector::parse_fields("status.phase=Running"),
                                      });
  EXPECT_EQ(part->items.size(), 334U);
}

TEST(StoreStatus, IsWrittenNodeByNode) {
  TestStore store;
  const auto made = store.create(kWorkflows, workflow("w"));
  const Key w = key(kWorkflows, "w");
  ASSERT_TRUE(store.update_workflow_status(
      w, {.nodes = {{"a", R"({"phase":"Running"})"}, {"b", R"({"phase":"Pending"})"}},
          .fields = {{"phase", "Running"}, {"message", "m"}, {"storedTemplates", {{"t", 1}}}},
          .labels = {{"workflows.argoproj.io/phase", "Running"}},
          .annotations = {{"note", "x"}}}));
  ASSERT_TRUE(store.update_workflow_status(w, {.nodes = {{"a", R"({"phase":"Succeeded"})"}, {"b", ""}},
                                               .fields = {{"phase", "Succeeded"}, {"message", nullptr}},
                                               .annotations = {{"note", nullptr}},
                                               .completed = true}));
  const auto found = store.get(w);
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->at("status"), (doc::Value{{"phase", "Succeeded"},
                                                {"storedTemplates", {{"t", 1}}},
                                                {"nodes", {{"a", {{"phase", "Succeeded"}}}}}}));
  EXPECT_EQ((*found)->at("spec"), (*made)->at("spec"));
  EXPECT_EQ((*found)->at("metadata").at("labels"),
            (doc::Value{{"workflows.argoproj.io/phase", "Running"}, {"workflows.argoproj.io/completed", "true"}}));
  EXPECT_EQ((*found)->at("metadata").at("annotations"), doc::Value(doc::Object{}));

  EXPECT_FALSE(store.list(kWorkflows)->items[0]->at("status").as_object().contains("nodes"));
  const auto with_nodes = store.list(kWorkflows, {.with_nodes = true});
  EXPECT_EQ(*with_nodes->items[0], **found);
}

TEST(StoreStatus, OfNodesAloneLeavesTheObject) {
  TestStore store;
  const auto made = store.create(kWorkflows, workflow("w"));
  ASSERT_TRUE(store.update_workflow_status(key(kWorkflows, "w"), {.nodes = {{"a", "{}"}}}));
  const auto version = [](const auto& object) { return std::stoull(text(object, "metadata", "resourceVersion")); };
  EXPECT_EQ(version(*store.list(kWorkflows)->items.begin()), version(*made));
  // With the nodes it is of a newer version, and both are good to write on.
  const auto whole = store.get(key(kWorkflows, "w"));
  EXPECT_EQ(version(*whole), store->resource_version());
  EXPECT_GT(version(*whole), version(*made));
  EXPECT_TRUE(store.update(key(kWorkflows, "w"), **made));
  EXPECT_TRUE(store.update(key(kWorkflows, "w"), **whole));
  doc::Value changed = **whole;
  changed.as_object()["spec"] = {{"entrypoint", "other"}};
  EXPECT_TRUE(store.update(key(kWorkflows, "w"), changed));
  EXPECT_EQ(store.update(key(kWorkflows, "w"), **whole).error().code, Code::kAborted);
  EXPECT_EQ(store.remove(key(kWorkflows, "w"), {.resource_version = std::to_string(version(*whole))}).error().code,
            Code::kAborted);
}

TEST(StoreStatus, OfAMissingWorkflowFails) {
  TestStore store;
  EXPECT_EQ(store.update_workflow_status(key(kWorkflows, "w"), {}).error().code, Code::kNotFound);
}

TEST(StoreStatus, ComesWithACreation) {
  TestStore store;
  doc::Value object = workflow("w");
  object.as_object()["status"] = {{"phase", "Running"}, {"nodes", {{"a", {{"id", "a"}}}}}};
  ASSERT_TRUE(store.create(kWorkflows, object));
  EXPECT_EQ((*store.get(key(kWorkflows, "w")))->at("status"), object.at("status"));
}

TEST(StoreJournal, KeepsEachTransition) {
  TestStore store;
  const auto made = store.create(kWorkflows, workflow("w"));
  const std::string uid = text(*made, "metadata", "uid");
  ASSERT_TRUE(store.update_workflow_status(
      key(kWorkflows, "w"), {.nodes = {{"a", R"({"phase":"Running"})"}}, .fields = {{"phase", "Running"}}}));
  ASSERT_TRUE(store.update_workflow_status(key(kWorkflows, "w"), {.nodes = {{"a", ""}}}));
  const auto journal = store.journal(uid);
  ASSERT_TRUE(journal);
  std::vector<std::string> bodies;
  for (const auto& entry : *journal) {
    bodies.push_back(entry.json);
    EXPECT_EQ(entry.at, store.executor().now());
  }
  EXPECT_THAT(bodies, ElementsAre(R"({"node":{"phase":"Running"}})", R"({"status":{"phase":"Running"}})",
                                  R"({"deleted":"a"})"));
  EXPECT_EQ(store.journal(uid, journal->back().sequence)->size(), 1U);
  EXPECT_EQ(store.journal(uid, journal->back().sequence + 1)->size(), 0U);
}

TEST(StoreReopen, FindsEverythingAgain) {
  const TempDir temp;
  const std::string path = temp.path() + "/tiphys.db";
  std::string uid;
  std::uint64_t version = 0;
  {
    TestStore store({.path = path});
    uid = text(*store.create(kWorkflows, workflow("ended")), "metadata", "uid");
    ASSERT_TRUE(store.create(kWorkflows, workflow("live")));
    ASSERT_TRUE(store.create(kConfigMaps, named("c")));
    ASSERT_TRUE(store.update_workflow_status(
        key(kWorkflows, "ended"),
        {.nodes = {{"a", R"({"id":"a"})"}}, .fields = {{"phase", "Failed"}}, .completed = true}));
    version = store->resource_version();
  }
  TestStore store({.path = path});
  EXPECT_GE(store->resource_version(), version);
  EXPECT_EQ(count(store, kWorkflows), 2U);
  EXPECT_EQ(count(store, kConfigMaps), 1U);
  EXPECT_EQ(text(*store.get(key(kWorkflows, "ended")), "status", "nodes", "a", "id"), "a");
  EXPECT_EQ(store.journal(uid)->size(), 2U);
  EXPECT_EQ(store.create(kWorkflows, workflow("ended")).error().code, Code::kAlreadyExists);
  const auto next = store.create(kConfigMaps, named("d"));
  EXPECT_GT(std::stoull(text(*next, "metadata", "resourceVersion")), version);
  // What had ended can live again.
  ASSERT_TRUE(store.patch(key(kWorkflows, "ended"), PatchType::kMerge,
                          {{"metadata", {{"labels", {{"workflows.argoproj.io/completed", nullptr}}}}}}));
  EXPECT_EQ(store
                .list(kWorkflows,
                      {
                          .labels = *Selector::parse("!workflows.argoproj.io/completed"),
                      })
                ->items.size(),
            2U);
}

TEST(StoreReadOnly, RefusesWrites) {
  TestStore store({.read_only = true});
  EXPECT_EQ(store.create(kPods, pod("p")).error().code, Code::kFailedPrecondition);
  EXPECT_TRUE(store.get(key(kNamespaces, "default")));
}

TEST(StoreBounds, RefuseWritesBeyondTheQueue) {
  TestStore store({.most_pending_rows = 4});
  std::vector<Code> codes;
  for (int i = 0; i < 4; ++i) {
    store->create(kPods, pod(fmt::format("p{}", i)),
                  [&](auto made) { codes.push_back(made ? Code{} : made.error().code); });
  }
  store.run();
  EXPECT_THAT(codes, testing::UnorderedElementsAre(Code{}, Code{}, Code::kResourceExhausted, Code::kResourceExhausted));
  EXPECT_TRUE(store.create(kPods, pod("later")));
}

TEST(StoreLogs, AreReadByWhatTheCompositionSets) {
  TestStore store;
  ASSERT_TRUE(store.create(kPods, pod("p")));
  const auto read = [&](const char* name) {
    Status ended = fail(Code::kUnknown, "not ended");
    const auto reading = store->read_log(
        key(kPods, name), {}, {.on_line = [](auto, auto, auto) {}, .on_end = [&](Status status) { ended = status; }});
    store.run();
    return ended;
  };
  EXPECT_EQ(read("p").error().code, Code::kUnimplemented);
  store->set_log_reader([](const cluster::Object&, const cluster::LogOptions&, cluster::LogSink sink) {
    sink.on_end({});
    return std::make_unique<cluster::Watch>();
  });
  EXPECT_TRUE(read("p"));
  EXPECT_EQ(read("none").error().code, Code::kNotFound);
}

TEST(StoreList, FindsTheNewestOfAnOriginThatEndedSo) {
  TestStore store;
  constexpr std::string_view kLabel = "workflows.argoproj.io/workflow-template";
  const auto add = [&](std::string_view name, std::string_view value, std::string_view phase) {
    ASSERT_TRUE(store.create(kWorkflows, named(name, "default", {{kLabel, value}})));
    ASSERT_TRUE(store.update_workflow_status(
        key(kWorkflows, std::string(name)),
        {.nodes = {{"n", "{}"}}, .labels = {{"workflows.argoproj.io/phase", phase}}, .completed = true}));
  };
  add("z", "t", "Succeeded");
  add("m", "t", "Succeeded");
  add("a", "t", "Failed");
  add("b", "other", "Succeeded");
  const auto newest = [&](std::string_view selector, std::string ns = "default") {
    return store.list(
        kWorkflows,
        {.ns = std::move(ns), .labels = *Selector::parse(selector), .with_nodes = true, .newest_ended = true});
  };
  const auto found = newest(fmt::format("{}=t,workflows.argoproj.io/phase=Succeeded", kLabel));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(names(found), ElementsAre("default/m"));
  EXPECT_NE(doc::find(*found->items[0], "status", "nodes", "n"), nullptr);
  EXPECT_THAT(names(newest(fmt::format("{}=none,workflows.argoproj.io/phase=Succeeded", kLabel))), IsEmpty());
  EXPECT_THAT(names(newest(fmt::format("{}=t,workflows.argoproj.io/phase=Succeeded", kLabel), "ns")), IsEmpty());
  EXPECT_THAT(names(newest("workflows.argoproj.io/cron-workflow=t,workflows.argoproj.io/phase=Succeeded")), IsEmpty());
  EXPECT_FALSE(newest("mine=t,workflows.argoproj.io/phase=Succeeded"));
  EXPECT_FALSE(newest("mine=t"));
}

TEST(StoreStatus, MayReplaceTheSpec) {
  TestStore store;
  ASSERT_TRUE(store.create(kWorkflows, workflow("w")));
  const doc::Value spec{{"entrypoint", "other"}};
  ASSERT_TRUE(store.update_workflow_status(key(kWorkflows, "w"), {.spec = std::make_shared<const doc::Value>(spec)}));
  EXPECT_EQ(*doc::find(**store.get(key(kWorkflows, "w")), "spec"), spec);
}

TEST(StoreEvents, AreKeptUpToABound) {
  TestStore store({.most_kept_events = 20});
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(store.create(kEvents, named(fmt::format("e{:02}", i))));
  store.run();
  const auto kept = names(store.list(kEvents));
  EXPECT_LE(kept.size(), 20U);
  EXPECT_GE(kept.size(), 18U);
  EXPECT_EQ(kept.back(), "default/e49");
}

TEST(StoreEvents, GoWhenNobodyHasWrittenThemForAnHour) {
  const TempDir temp(TempDir::memory());
  const std::string path = temp.path() + "/tiphys.db";
  const auto event = [](std::string_view name, Time at) {
    doc::Value object = named(name);
    object.as_object()["lastTimestamp"] = format_rfc3339(at);
    return object;
  };
  const auto after = [](TestStore& store, std::chrono::minutes time) {
    const Time until = store.executor().now() + time;
    store.executor().schedule(until, [] {});
    store.executor().run_until([&] { return store.executor().now() >= until; });
    store.run();
    return names(store.list(kEvents));
  };
  {
    TestStore store({.path = path});
    ASSERT_TRUE(store.create(kEvents, event("again", store.executor().now())));
    ASSERT_TRUE(store.create(kEvents, event("once", store.executor().now())));
    EXPECT_EQ(after(store, std::chrono::minutes(30)).size(), 2U);
    ASSERT_TRUE(store.update(key(kEvents, "again"), event("again", store.executor().now())));
    EXPECT_THAT(after(store, std::chrono::minutes(31)), ElementsAre("default/again"));
  }
  TestStore store({.path = path, .seed = 2});
  store.executor().set_now(store.executor().now() + std::chrono::minutes(100));
  ASSERT_TRUE(store.create(kEvents, event("new", store.executor().now())));
  EXPECT_THAT(after(store, std::chrono::minutes(1)), ElementsAre("default/new"));
  EXPECT_THAT(after(store, std::chrono::minutes(60)), IsEmpty());
}

}  // namespace
}  // namespace tiphys::store

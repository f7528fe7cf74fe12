// Watches: what they show, in which order, and what becomes of them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/store.h"
#include "store/testing.h"

namespace tiphys::store {
namespace {

using cluster::Key;
using cluster::kPods;
using cluster::kWorkflows;
using cluster::PatchType;
using cluster::Selector;
using cluster::WatchEvent;
using cluster::WatchOptions;
using testing::ElementsAre;
using testing::IsEmpty;

doc::Value pod(std::string_view name, std::string_view phase = "Running", std::string_view app = "web",
               std::string_view ns = "default") {
  return {{"metadata", {{"name", name}, {"namespace", ns}, {"labels", {{"app", app}}}}},
          {"status", {{"phase", phase}}}};
}

Key key(const cluster::Resource& resource, std::string name) {
  return {&resource, "default", std::move(name)};
}

std::string describe(const WatchEvent& event) {
  constexpr const char* kTypes[] = {"added", "modified", "deleted", "synced"};
  std::string text = kTypes[static_cast<int>(event.type)];
  if (event.object) text += fmt::format(" {}", doc::find_string(*event.object, "metadata", "name"));
  return text;
}

/// A watch that writes down what it is told.
struct Reader {
  Reader(TestStore& store, const cluster::Resource& resource, WatchOptions options = {}) {
    watch = store->watch(resource, std::move(options),
                         {.on_event =
                              [this](const WatchEvent& event) {
                                events.push_back(describe(event));
                                last = event.object;
                              },
                          .on_end = [this](const Error& error) { ended = error; }});
  }
  std::vector<std::string> take() { return std::exchange(events, {}); }

  std::vector<std::string> events;
  cluster::Object last;
  std::optional<Error> ended;
  std::unique_ptr<cluster::Watch> watch;
};

void set_phase(TestStore& store, const char* name, const char* phase) {
  ASSERT_TRUE(store.patch(key(kPods, name), PatchType::kMerge, {{"status", {{"phase", phase}}}}));
}

TEST(Watch, ShowsWhatExistsThenChanges) {
  TestStore store;
  ASSERT_TRUE(store.create(kPods, pod("b")));
  ASSERT_TRUE(store.create(kPods, pod("a", "Succeeded")));
  Reader reader(store, kPods);
  EXPECT_THAT(reader.events, IsEmpty());
  store.run();
  EXPECT_THAT(reader.take(), ElementsAre("added a", "added b", "synced"));
  ASSERT_TRUE(store.create(kPods, pod("c")));
  set_phase(store, "c", "Failed");
  ASSERT_TRUE(store.remove(key(kPods, "c")));
  store.run();
  EXPECT_THAT(reader.take(), ElementsAre("added c", "modified c", "deleted c"));
  EXPECT_EQ(doc::find_string(*reader.last, "metadata", "resourceVersion"), std::to_string(store->resource_version()));
}

TEST(Watch, TellsAfterTheAnswers) {
  TestStore store;
  std::vector<std::string> order;
  const auto watch = store->watch(
      kPods, {},
      {.on_event = [&](const WatchEvent& event) { order.push_back(describe(event)); }, .on_end = [](const Error&) {}});
  store.run();
  order.clear();
  store->create(kPods, pod("a"), [&](auto) { order.push_back("answer a"); });
  store->create(kPods, pod("b"), [&](auto) { order.push_back("answer b"); });
  store.run();
  EXPECT_THAT(order, ElementsAre("answer a", "answer b", "added a", "added b"));
}

TEST(Watch, FollowsASelectionInAndOut) {
  TestStore store;
  struct Case {
    const char* rule;
    WatchOptions options;
    std::vector<std::string> events;
  };
  const auto running = *Selector::parse_fields("status.phase=Running");
  for (const auto& [rule, options, expected] : {
           Case{
               "fields", {.fields = running}, {"synced", "added a", "modified a", "deleted a", "added a", "deleted a"}},
           Case{"labels", {.labels = *Selector::parse("app=db")}, {"synced", "added a", "modified a", "deleted a"}},
           Case{"another namespace", {.ns = "other"}, {"synced"}},
           Case{"the same namespace",
                {.ns = "default", .labels = *Selector::parse("app")},
                {"synced", "added a", "modified a", "modified a", "modified a", "modified a", "deleted a"}},
       }) {
    Reader reader(store, kPods, options);
    store.run();
    ASSERT_TRUE(store.create(kPods, pod("a", "Pending")));
    set_phase(store, "a", "Running");
    ASSERT_TRUE(store.patch(key(kPods, "a"), PatchType::kMerge, {{"metadata", {{"labels", {{"app", "db"}}}}}}));
    set_phase(store, "a", "Succeeded");
    ASSERT_TRUE(store.patch(key(kPods, "a"), PatchType::kMerge,
                            {{"status", {{"phase", "Running"}}}, {"metadata", {{"labels", {{"app", "web"}}}}}}));
    ASSERT_TRUE(store.remove(key(kPods, "a"), {.grace_seconds = 0}));
    EXPECT_EQ(reader.take(), expected) << rule;
  }
}

TEST(Watch, ShowsTheOldStateOfWhatLeavesItsSelection) {
  TestStore store;
  ASSERT_TRUE(store.create(kPods, pod("a")));
  Reader reader(store, kPods, {.fields = *Selector::parse_fields("status.phase=Running")});
  store.run();
  set_phase(store, "a", "Failed");
  EXPECT_EQ(doc::find_string(*reader.last, "status", "phase"), "Running");
  EXPECT_EQ(doc::find_string(*reader.last, "metadata", "resourceVersion"), std::to_string(store->resource_version()));
}

TEST(Watch, ResumesFromAVersion) {
  TestStore store;
  const std::uint64_t start = store->resource_version();
  ASSERT_TRUE(store.create(kPods, pod("a")));
  const std::uint64_t after_a = store.list(kPods)->resource_version;
  ASSERT_TRUE(store.create(kPods, pod("b")));
  ASSERT_TRUE(store.remove(key(kPods, "a"), {.grace_seconds = 0}));
  struct Case {
    const char* rule;
    std::uint64_t from;
    std::vector<std::string> events;
    bool ends;
  };
  for (const auto& [rule, from, events, ends] :
       {Case{"from the beginning", start, {"added a", "added b", "deleted a"}, false},
        Case{"from the middle", after_a, {"added b", "deleted a"}, false},
        Case{"from now", store->resource_version(), {}, false},
        Case{"from the future", store->resource_version() + 1, {}, true}}) {
    Reader reader(store, kPods, {.resource_version = from});
    store.run();
    EXPECT_EQ(reader.events, events) << rule;
    EXPECT_EQ(reader.ended ? reader.ended->code : Code{}, ends ? Code::kOutOfRange : Code{}) << rule;
  }
}

TEST(Watch, CannotResumeFromBeforeARestart) {
  const TempDir temp;
  const std::string path = temp.path() + "/tiphys.db";
  std::uint64_t version = 0;
  {
    TestStore store({.path = path});
    ASSERT_TRUE(store.create(kPods, pod("a")));
    version = store->resource_version();
  }
  TestStore store({.path = path});
  Reader reader(store, kPods, {.resource_version = version});
  store.run();
  ASSERT_TRUE(reader.ended);
  EXPECT_EQ(reader.ended->code, Code::kOutOfRange);
}

TEST(Watch, CannotResumeFromWhatIsForgotten) {
  TestStore store({.most_logged_changes = 3});
  ASSERT_TRUE(store.create(kPods, pod("p")));
  const std::uint64_t first = store->resource_version();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store.create(kPods, pod(fmt::format("p{}", i))));
  Reader kept(store, kPods, {.resource_version = first});
  store.run();
  EXPECT_EQ(kept.events.size(), 3U);
  ASSERT_TRUE(store.create(kPods, pod("one-more")));
  Reader late(store, kPods, {.resource_version = first});
  store.run();
  ASSERT_TRUE(late.ended);
  EXPECT_EQ(late.ended->code, Code::kOutOfRange);
  // Other resources forget for themselves.
  Reader other(store, kWorkflows, {.resource_version = first});
  store.run();
  EXPECT_FALSE(other.ended);
}

TEST(Watch, ForgetsByBytesToo) {
  TestStore store({.most_logged_bytes = 10'000});
  const std::uint64_t start = store->resource_version();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store.create(kPods, pod(fmt::format("p{}", i), "Running", "web")));
  Reader kept(store, kPods, {.resource_version = start});
  doc::Value large = pod("large");
  large.as_object()["spec"] = std::string(9'500, 'x');
  ASSERT_TRUE(store.create(kPods, large));
  Reader late(store, kPods, {.resource_version = start});
  store.run();
  EXPECT_FALSE(kept.ended);
  EXPECT_TRUE(late.ended);
}

TEST(Watch, EndsWithItsHandle) {
  TestStore store;
  Reader reader(store, kPods);
  store.run();
  reader.take();
  store->create(kPods, pod("a"), [](auto) {});
  reader.watch.reset();
  store.run();
  EXPECT_THAT(reader.events, IsEmpty());
}

TEST(Watch, EndsBeforeItHasBegun) {
  TestStore store;
  bool told = false;
  store->watch(kPods, {}, {.on_event = [&](const WatchEvent&) { told = true; }, .on_end = [](const Error&) {}}).reset();
  store.run();
  EXPECT_FALSE(told);
}

TEST(Watch, MayBeClosedByItsOwnReader) {
  TestStore store;
  ASSERT_TRUE(store.create(kPods, pod("a")));
  ASSERT_TRUE(store.create(kPods, pod("b")));
  for (const char* closes_at : {"added a", "synced", "added c", "deleted c"}) {
    std::vector<std::string> events;
    std::unique_ptr<cluster::Watch> watch;
    // The text lives in the reader's function, which must outlive its own watch.
    watch = store->watch(kPods, {},
                         {.on_event =
                              [&, last = std::string(closes_at)](const WatchEvent& event) {
                                events.push_back(describe(event));
                                if (events.back() != last) return;
                                watch.reset();
                                events.push_back("closed at " + last);
                              },
                          .on_end = [](const Error&) {}});
    store.run();
    ASSERT_TRUE(store.create(kPods, pod("c")));
    ASSERT_TRUE(store.remove(key(kPods, "c"), {.grace_seconds = 0}));
    EXPECT_EQ(events.back(), fmt::format("closed at {}", closes_at));
  }
}

TEST(Watch, MayBeClosedByAnothersReader) {
  TestStore store;
  Reader second(store, kPods);
  std::unique_ptr<cluster::Watch> first;
  Reader third(store, kPods);
  first = store->watch(kPods, {},
                       {.on_event =
                            [&](const WatchEvent& event) {
                              if (event.type != WatchEvent::Type::kAdded) return;
                              second.watch.reset();
                              third.watch.reset();
                              // Writing and watching from within are fine as well.
                              second.watch = store->watch(
                                  kPods, {}, {.on_event = [](const auto&) {}, .on_end = [](const Error&) {}});
                              store->remove(key(kPods, "a"), {.grace_seconds = 0}, [](auto) {});
                            },
                        .on_end = [](const Error&) {}});
  store.run();
  ASSERT_TRUE(store.create(kPods, pod("a")));
  store.run();
  EXPECT_THAT(second.events, ElementsAre("synced", "added a"));
  EXPECT_THAT(third.events, ElementsAre("synced", "added a"));
  EXPECT_EQ(store.get(key(kPods, "a")).error().code, Code::kNotFound);
}

// A first list of several slices with changes in between: the end state is right and nothing comes twice.
TEST(Watch, ListsAndChangesMeetExactly) {
  TestStore store;
  for (int i = 0; i < 600; ++i) store->create(kPods, pod(fmt::format("p{:03}", i), "Succeeded"), [](auto) {});
  store.run();
  Reader reader(store, kPods);
  // One slice has 256 objects.
  while (reader.events.empty()) ASSERT_TRUE(store.executor().step());
  ASSERT_EQ(reader.take().size(), 256U);
  for (const char* name : {"p000", "p500"}) {
    store->patch(key(kPods, name), PatchType::kMerge, {{"status", {{"message", "m"}}}}, [](auto) {});
  }
  store->remove(key(kPods, "p001"), {}, [](auto) {});
  store->remove(key(kPods, "p501"), {}, [](auto) {});
  store->create(kPods, pod("p000a"), [](auto) {});
  store->create(kPods, pod("p500a"), [](auto) {});
  store.run();
  std::map<std::string, int> seen;
  for (const auto& event : reader.events) ++seen[event];
  EXPECT_EQ(seen["added p500"], 1);
  EXPECT_EQ(seen["modified p000"], 1);
  EXPECT_EQ(seen["deleted p001"], 1);
  EXPECT_EQ(seen["added p000a"], 1);
  EXPECT_EQ(seen["added p500a"] + seen["modified p500a"], 1);
  EXPECT_EQ(seen["deleted p501"], seen["added p501"]);
  EXPECT_EQ(seen["synced"], 1);
  for (const auto& [event, times] : seen) EXPECT_LE(times, 1) << event;
}

TEST(Watch, OfTheControllerLeavesOutItsOwnUpdates) {
  TestStore store;
  ASSERT_TRUE(store.create(kWorkflows, {{"metadata", {{"name", "w"}}}, {"spec", doc::Object{}}}));
  const auto unfinished = *Selector::parse("workflows.argoproj.io/completed!=true");
  Reader controller(store, kWorkflows, {.labels = unfinished, .without_status_updates = true});
  Reader other(store, kWorkflows);
  store.run();
  const Key w = key(kWorkflows, "w");
  ASSERT_TRUE(store.update_workflow_status(w, {.fields = {{"phase", "Running"}}}));
  ASSERT_TRUE(store.patch(w, PatchType::kMerge, {{"spec", {{"suspend", true}}}}));
  ASSERT_TRUE(store.update_workflow_status(w, {.nodes = {{"n", "{}"}}}));
  ASSERT_TRUE(store.update_workflow_status(w, {.fields = {{"phase", "Failed"}}, .completed = true}));
  EXPECT_THAT(controller.events, ElementsAre("added w", "synced", "modified w", "deleted w"));
  EXPECT_THAT(other.events, ElementsAre("added w", "synced", "modified w", "modified w", "modified w"));
  EXPECT_EQ(doc::find_string(*other.last, "status", "phase"), "Failed");
}

TEST(Watch, StatusUpdatesMayComeBare) {
  TestStore store;
  ASSERT_TRUE(store.create(kWorkflows, {{"metadata", {{"name", "w"}}}, {"spec", {{"entrypoint", "e"}}}}));
  Reader bare(store, kWorkflows, {.bare_status_updates = true});
  store.run();
  const Key w = key(kWorkflows, "w");
  ASSERT_TRUE(store.update_workflow_status(w, {.fields = {{"phase", "Running"}}}));
  EXPECT_EQ(doc::find_string(*bare.last, "status", "phase"), "Running");
  EXPECT_TRUE(bare.last->at("spec").is_null());
  ASSERT_TRUE(store.patch(w, PatchType::kMerge, {{"spec", {{"suspend", true}}}}));
  EXPECT_EQ(doc::find_string(*bare.last, "spec", "entrypoint"), "e");
}

TEST(Watch, SeesTheLastOfSeveralStatusUpdatesAtOnce) {
  TestStore store;
  ASSERT_TRUE(store.create(kWorkflows, {{"metadata", {{"name", "w"}}}}));
  Reader all(store, kWorkflows);
  Reader running(store, kWorkflows, {.labels = *Selector::parse("phase=Running")});
  store.run();
  const Key w = key(kWorkflows, "w");
  const auto update = [&](const char* phase) {
    store->update_workflow_status(w, {.fields = {{"phase", phase}}, .labels = {{"phase", phase}}}, [](auto) {});
  };
  update("Running");
  update("Failed");
  store->patch(w, PatchType::kMerge, {{"spec", {{"suspend", true}}}}, [](auto) {});
  update("Running");
  update("Error");
  update("Running");
  store.run();
  EXPECT_THAT(all.events, ElementsAre("added w", "synced", "modified w", "modified w", "modified w"));
  EXPECT_EQ(doc::find_string(*all.last, "status", "phase"), "Running");
  EXPECT_THAT(running.events, ElementsAre("synced", "added w"));
}

struct NodeReader {
  NodeReader(TestStore& store, const char* name) {
    watch = store->watch_nodes(key(kWorkflows, name),
                               {.on_node = [this](std::string_view json) { events.emplace_back(json); },
                                .on_synced = [this] { events.emplace_back("synced"); },
                                .on_end = [this](const Error& error) { ended = error.code; }});
  }
  std::vector<std::string> events;
  Code ended{};
  std::unique_ptr<cluster::Watch> watch;
};

TEST(Watch, UncommittedChangesAndWhatFollowsFromThemAreWrittenTogether) {
  int commits = 0;
  TestStore store({.before_commit = [&]() -> Status {
    ++commits;
    return {};
  }});
  ASSERT_TRUE(store.create(kPods, pod("a")));
  std::vector<std::string> told;
  const auto watch = store->watch(kPods, {.resource_version = store->resource_version(), .uncommitted = true},
                                  {.on_event =
                                       [&](const WatchEvent& event) {
                                         told.push_back(describe(event));
                                         if (told.back() != "modified a") return;
                                         store->create(kPods, pod("b"), [](auto) {});
                                       },
                                   .on_end = [](const Error&) {}});
  Reader other(store, kPods, {.resource_version = store->resource_version()});
  store.run();
  commits = 0;
  set_phase(store, "a", "Succeeded");
  store.run();
  EXPECT_EQ(commits, 1);
  EXPECT_THAT(told, ElementsAre("modified a", "added b"));
  EXPECT_THAT(other.take(), ElementsAre("modified a", "added b"));
}

TEST(Watch, MayLeaveOutWhatIsOver) {
  TestStore store;
  ASSERT_TRUE(store.create(kPods, pod("done", "Succeeded")));
  ASSERT_TRUE(store.create(kPods, pod("going")));
  ASSERT_TRUE(store.create(kPods, pod("running")));
  ASSERT_TRUE(store.remove(key(kPods, "going")));
  set_phase(store, "going", "Failed");
  Reader reader(store, kPods, {.live_at_first = true});
  store.run();
  EXPECT_THAT(reader.take(), ElementsAre("added going", "added running", "synced"));
  ASSERT_TRUE(store.remove(key(kPods, "done")));
  ASSERT_TRUE(store.remove(key(kPods, "going")));
  EXPECT_THAT(reader.take(), ElementsAre("deleted done", "deleted going"));
}

TEST(Watch, UncommittedShowsWhatIsOnItsWay) {
  TestStore store;
  const std::uint64_t from = store->resource_version();
  store->create(kPods, pod("a"), [](auto) {});
  Reader reader(store, kPods, {.resource_version = from, .uncommitted = true});
  store->create(kPods, pod("b"), [](auto) {});
  store.run();
  EXPECT_THAT(reader.take(), ElementsAre("added a", "added b"));
}

TEST(Watch, EndsWhenWhatItWasToldCannotBeWritten) {
  bool full = false;
  TestStore store(
      {.before_commit = [&]() -> Status { return full ? fail(Code::kResourceExhausted, "disk full") : Status{}; }});
  Reader early(store, kPods, {.resource_version = store->resource_version(), .uncommitted = true});
  Reader late(store, kPods, {.resource_version = store->resource_version()});
  store.run();
  full = true;
  EXPECT_FALSE(store.create(kPods, pod("a")));
  store.run();
  EXPECT_THAT(early.take(), ElementsAre("added a"));
  ASSERT_TRUE(early.ended);
  EXPECT_EQ(early.ended->code, Code::kOutOfRange);
  EXPECT_THAT(late.take(), IsEmpty());
  EXPECT_FALSE(late.ended);
}

TEST(NodeWatch, ShowsNodesAndTheirChanges) {
  TestStore store;
  const Key w = key(kWorkflows, "w");
  store->create(kWorkflows, {{"metadata", {{"name", "w"}}}}, [](auto) {});
  store->update_workflow_status(w, {.nodes = {{"a", "1"}, {"b", "2"}}}, [](auto) {});
  NodeReader reader(store, "w");
  store.run();
  EXPECT_THAT(reader.events, ElementsAre("1", "2", "synced"));
  ASSERT_TRUE(store.update_workflow_status(w, {.nodes = {{"b", "3"}}, .fields = {{"phase", "Running"}}}));
  EXPECT_THAT(reader.events, ElementsAre("1", "2", "synced", "3"));
  ASSERT_TRUE(store.update_workflow_status(w, {.nodes = {{"b", ""}}}));
  EXPECT_EQ(reader.ended, Code::kOutOfRange);

  NodeReader again(store, "w");
  store.run();
  EXPECT_THAT(again.events, ElementsAre("1", "synced"));
  ASSERT_TRUE(store.remove(w));
  EXPECT_EQ(again.ended, Code::kNotFound);

  NodeReader none(store, "w");
  store.run();
  EXPECT_EQ(none.ended, Code::kNotFound);
}

TEST(NodeWatch, MayBeClosedByItsOwnReader) {
  TestStore store;
  const Key w = key(kWorkflows, "w");
  ASSERT_TRUE(store.create(kWorkflows, {{"metadata", {{"name", "w"}}}}));
  ASSERT_TRUE(store.update_workflow_status(w, {.nodes = {{"a", "1"}, {"b", "2"}}}));
  std::vector<std::string> events;
  std::unique_ptr<cluster::Watch> watch;
  watch = store->watch_nodes(w, {.on_node =
                                     [&, closed = std::string("closed")](std::string_view json) {
                                       events.emplace_back(json);
                                       watch.reset();
                                       events.push_back(closed);
                                     },
                                 .on_synced = [&] { events.emplace_back("synced"); },
                                 .on_end = [](const Error&) {}});
  store.run();
  ASSERT_TRUE(store.update_workflow_status(w, {.nodes = {{"a", "3"}}}));
  EXPECT_THAT(events, ElementsAre("1", "closed"));
}

}  // namespace
}  // namespace tiphys::store

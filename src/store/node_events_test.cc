// Watches of workflows that come with their nodes.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/store.h"
#include "store/testing.h"

namespace tiphys::store {
namespace {

using cluster::kWorkflows;
using cluster::WatchEvent;
using testing::ElementsAre;
using testing::IsEmpty;

const cluster::Key kW{&kWorkflows, "default", "w"};

/// A watch with nodes, and what it is told: "TYPE NAME PHASE {nodes}".
struct Reader {
  explicit Reader(TestStore& store, cluster::WatchOptions options = {}) {
    options.with_nodes = true;
    watch = store->watch(kWorkflows, std::move(options),
                         {.on_event = [this](const WatchEvent& event) { take(event); },
                          .on_end = [this](const Error& error) { ended = error.code; }});
  }

  void take(const WatchEvent& event) {
    constexpr const char* kTypes[] = {"added", "modified", "deleted", "synced"};
    std::string text = kTypes[static_cast<int>(event.type)];
    if (event.object) {
      const doc::Value* nodes = doc::find(*event.object, "status", "nodes");
      text += fmt::format(" {} {} {}", doc::find_string(*event.object, "metadata", "name"),
                          doc::find_string(*event.object, "status", "phase"), nodes ? doc::to_json(*nodes) : "-");
      versions.push_back(std::stoull(std::string(doc::find_string(*event.object, "metadata", "resourceVersion"))));
    }
    events.push_back(std::move(text));
  }
  std::vector<std::string> seen() { return std::exchange(events, {}); }

  std::vector<std::string> events;
  std::vector<std::uint64_t> versions;
  std::optional<Code> ended;
  std::unique_ptr<cluster::Watch> watch;
};

void make(TestStore& store, const char* name) {
  ASSERT_TRUE(store.create(kWorkflows, {{"metadata", {{"name", name}}}, {"spec", {{"entrypoint", "main"}}}}));
}

void set_node(TestStore& store, const char* id, const std::string& json, const char* workflow = "w") {
  ASSERT_TRUE(store.update_workflow_status({&kWorkflows, "default", workflow}, {.nodes = {{id, json}}}));
}

TEST(NodeEvents, ComeWithEachChange) {
  TestStore store;
  make(store, "w");
  set_node(store, "a", "1");
  Reader reader(store);
  store.run();
  EXPECT_THAT(reader.seen(), ElementsAre(R"(added w  {"a":1})", "synced"));
  set_node(store, "a", "2");
  EXPECT_THAT(reader.seen(), ElementsAre(R"(modified w  {"a":2})"));
  ASSERT_TRUE(store.update_workflow_status(kW, {.nodes = {{"b", "3"}}, .fields = {{"phase", "Running"}}}));
  EXPECT_THAT(reader.seen(), ElementsAre(R"(modified w Running {"a":2,"b":3})"));
  set_node(store, "a", "");
  EXPECT_THAT(reader.seen(), ElementsAre(R"(modified w Running {"b":3})"));
  ASSERT_TRUE(store.remove(kW));
  store.run();
  EXPECT_THAT(reader.seen(), ElementsAre("deleted w Running -"));
  EXPECT_TRUE(std::ranges::is_sorted(reader.versions));
  EXPECT_EQ(std::ranges::adjacent_find(reader.versions), reader.versions.end()) << "each event has its version";
}

TEST(NodeEvents, AreForThoseWhoAsk) {
  TestStore store;
  make(store, "w");
  int events = 0;
  const auto watch = store->watch(kWorkflows, {.resource_version = store->resource_version()},
                                  {.on_event = [&](const WatchEvent&) { ++events; }, .on_end = [](const Error&) {}});
  store.run();
  set_node(store, "a", "1");
  EXPECT_EQ(events, 0);
}

TEST(NodeEvents, KeepToTheSelection) {
  TestStore store;
  make(store, "v");
  make(store, "w");
  Reader reader(store, {.fields = *cluster::Selector::parse_fields("metadata.name=w")});
  store.run();
  reader.seen();
  set_node(store, "a", "1", "v");
  EXPECT_THAT(reader.seen(), IsEmpty());
  set_node(store, "a", "1", "w");
  EXPECT_THAT(reader.seen(), ElementsAre(R"(modified w  {"a":1})"));
}

TEST(NodeEvents, AreSeenByOneWhoComesBack) {
  TestStore store;
  make(store, "v");
  make(store, "w");
  set_node(store, "a", "1");
  const std::uint64_t seen = store->resource_version();
  Reader nothing_new(store, {.resource_version = seen});
  store.run();
  EXPECT_THAT(nothing_new.seen(), IsEmpty());
  set_node(store, "a", "2");
  ASSERT_TRUE(store.update_workflow_status(kW, {.fields = {{"phase", "Running"}}}));
  set_node(store, "a", "3");
  Reader back(store, {.resource_version = seen});
  store.run();
  EXPECT_EQ(back.events.back(), R"(modified w Running {"a":3})");
  EXPECT_EQ(back.versions.back(), store->resource_version());
}

TEST(NodeEvents, OfOneTransactionAreOne) {
  TestStore store;
  make(store, "w");
  Reader reader(store);
  store.run();
  reader.seen();
  const auto update = [&](cluster::WorkflowStatusUpdate change) {
    store->update_workflow_status(kW, std::move(change), [](auto) {});
  };
  update({.nodes = {{"a", "1"}}});
  update({.fields = {{"phase", "Running"}}});
  update({.nodes = {{"a", "2"}}});
  store.run();
  EXPECT_THAT(reader.seen(), ElementsAre(R"(modified w Running {"a":2})"));
}

TEST(NodeEvents, WaitForAReaderWhoLagsBehind) {
  TestStore store;
  make(store, "w");
  Reader reader(store);
  store.run();
  reader.seen();
  reader.watch->pause(true);
  for (int i = 0; i < 5; ++i) set_node(store, "a", std::to_string(i));
  make(store, "x");
  set_node(store, "a", "5");
  store.run();
  EXPECT_THAT(reader.seen(), IsEmpty());
  reader.watch->pause(false);
  store.run();
  EXPECT_THAT(reader.seen(), ElementsAre("added x  -", R"(modified w  {"a":5})"));
  EXPECT_TRUE(std::ranges::is_sorted(reader.versions));
}

/// Each state of it would cost more than the steps do.
TEST(NodeEvents, OfALargeWorkflowAreFewer) {
  TestStore store;
  make(store, "w");
  set_node(store, "large", fmt::format(R"("{}")", std::string(10'000'000, 'x')));
  Reader reader(store);
  store.run();
  reader.seen();
  for (int i = 0; i < 50; ++i) set_node(store, "a", std::to_string(i));
  store.run();
  EXPECT_THAT(reader.seen(), IsEmpty());
  store.executor().run_until([&] { return !reader.events.empty(); });
  ASSERT_EQ(reader.events.size(), 1u);
  EXPECT_TRUE(reader.events[0].ends_with(R"("a":49})"));
}

/// Of a first list, which would otherwise be kept whole for a reader who takes nothing.
TEST(NodeEvents, FirstListsStopForAReaderWhoLagsBehind) {
  TestStore store;
  for (const char* name : {"a", "b", "c"}) make(store, name);
  std::vector<std::string> names;
  std::unique_ptr<cluster::Watch> watch;
  watch = store->watch(
      kWorkflows, {},
      {.on_event =
           [&](const WatchEvent& event) {
             names.emplace_back(event.object ? doc::find_string(*event.object, "metadata", "name") : "synced");
             if (names.size() < 3) watch->pause(true);
           },
       .on_end = [](const Error&) {}});
  store.run();
  EXPECT_THAT(names, ElementsAre("a"));
  watch->pause(false);
  store.run();
  EXPECT_THAT(names, ElementsAre("a", "b"));
  watch->pause(false);
  store.run();
  EXPECT_THAT(names, ElementsAre("a", "b", "c", "synced"));
}

}  // namespace
}  // namespace tiphys::store

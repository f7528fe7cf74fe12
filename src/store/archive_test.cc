// What has ended is found, kept when its object goes, and goes when it is told to or too old.
#include "store/archive.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/sqlite.h"
#include "store/test_objects.h"

namespace tiphys::store {
namespace {

using cluster::kWorkflows;
using cluster::PatchType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using NameMatch = ArchiveQuery::NameMatch;

constexpr const char* kCompleted = "workflows.argoproj.io/completed";

std::optional<cluster::Selector> everything() {
  return cluster::Selector();
}

cluster::Selector labels(std::string_view text) {
  return *cluster::Selector::parse(text);
}

Time at(int second) {
  return Time(std::chrono::seconds(1'700'000'000 + second));
}

/// A workflow that has ended, begun at this second.
std::string ended(TestStore& store, std::string_view name, int started = 0, doc::Object labels = {},
                  std::string_view ns = "default") {
  const auto made = store.create(kWorkflows, named(name, ns, std::move(labels)));
  TIPHYS_CHECK(made, "a workflow can be made");
  const Status done = store.update_workflow_status({&kWorkflows, std::string(ns), std::string(name)},
                                                   {.nodes = {{"a", R"({"id":"a"})"}},
                                                    .fields = {{"phase", "Succeeded"},
                                                               {"startedAt", format_rfc3339(at(started))},
                                                               {"finishedAt", format_rfc3339(at(started + 5))}},
                                                    .completed = true});
  TIPHYS_CHECK(done, "a workflow can end");
  return text(*made, "metadata", "uid");
}

std::vector<std::string> found(TestStore& store, ArchiveQuery query = {}) {
  const auto page = store.list_archive(std::move(query));
  if (!page) return {page.error().message};
  std::vector<std::string> names;
  for (const auto& item : page->items) names.push_back(text(item, "metadata", "name"));
  return names;
}

std::string archiving_status(const cluster::Object& workflow) {
  return text(workflow, "metadata", "labels", kArchivingStatusLabel);
}

TEST(StoreArchive, HasAWorkflowFromItsEndOn) {
  TestStore store;
  ASSERT_TRUE(store.create(kWorkflows, workflow("wf")));
  EXPECT_THAT(found(store), IsEmpty());
  ASSERT_TRUE(store.update_workflow_status(key(kWorkflows, "wf"), {.completed = true}));
  EXPECT_THAT(found(store), ElementsAre("wf"));
  EXPECT_EQ(archiving_status(*store.get(key(kWorkflows, "wf"))), "") << "nothing is to be archived";
  // A retry.
  const doc::Value goes_on{{"metadata", {{"labels", {{kCompleted, nullptr}}}}}};
  ASSERT_TRUE(store.patch(key(kWorkflows, "wf"), PatchType::kMerge, goes_on));
  EXPECT_THAT(found(store), IsEmpty());
  ASSERT_TRUE(store.update_workflow_status(key(kWorkflows, "wf"), {.completed = true}));
  EXPECT_THAT(found(store), ElementsAre("wf"));
  ASSERT_TRUE(store.remove(key(kWorkflows, "wf")));
  EXPECT_THAT(found(store), IsEmpty());
}

TEST(StoreArchive, MarksWhatTheSelectorChooses) {
  TestStore store({.archive = labels("keep=yes")});
  ended(store, "kept", 1, {{"keep", "yes"}});
  ended(store, "other", 2, {{"keep", "no"}});
  EXPECT_EQ(archiving_status(*store.get(key(kWorkflows, "kept"))), "Archived");
  EXPECT_EQ(archiving_status(*store.get(key(kWorkflows, "other"))), "");
  EXPECT_THAT(found(store), ElementsAre("other", "kept"));
  EXPECT_THAT(found(store, {.kept_only = true}), ElementsAre("kept"));
}

TEST(StoreArchive, KeepsWhatIsOnItsWayElsewhere) {
  TestStore store({.archive = everything(), .archived_elsewhere = true});
  int notices = 0;
  store->set_archive_notice([&] { ++notices; });
  const auto confirm = [&](const std::string& uid, std::string version) {
    return store.wait<void>([&](auto done) { store->confirm_archived(uid, std::move(version), std::move(done)); });
  };
  const auto version = [&](std::string_view name) {
    return text(store.list_archive({.name = std::string(name)})->items.at(0), "metadata", "resourceVersion");
  };
  const std::string gone = ended(store, "gone", 1), there = ended(store, "there", 2), other = ended(store, "other", 3);
  EXPECT_EQ(notices, 3);
  EXPECT_EQ(archiving_status(*store.get(key(kWorkflows, "there"))), "Pending");
  ASSERT_TRUE(store.remove(key(kWorkflows, "gone")));
  EXPECT_THAT(found(store, {.kept_only = true}), ElementsAre("other", "there", "gone"));
  EXPECT_TRUE(*store->has_ended(gone));

  ASSERT_TRUE(confirm(gone, version("gone")));
  ASSERT_TRUE(confirm(there, version("there")));
  ASSERT_TRUE(confirm(other, "1")) << "it has changed since";
  EXPECT_THAT(found(store), ElementsAre("other", "there"));
  EXPECT_THAT(found(store, {.kept_only = true}), ElementsAre("other"));
  EXPECT_THAT(found(store, {.without_archived = true}), ElementsAre("other"));
  EXPECT_EQ(archiving_status(*store.get(key(kWorkflows, "there"))), "Archived");
  ASSERT_TRUE(store.remove(key(kWorkflows, "there")));
  EXPECT_THAT(found(store), ElementsAre("other")) << "the other archive has it";
  EXPECT_FALSE(*store->has_ended(there));
  ASSERT_TRUE(store.remove_archived(other));
  EXPECT_EQ(archiving_status(*store.get(key(kWorkflows, "other"))), "");
  EXPECT_EQ(store.remove_archived(other).error().code, Code::kNotFound);
}

TEST(StoreArchive, KeepsAWorkflowWhoseObjectGoes) {
  const TempDir temp(TempDir::memory());
  const std::string path = temp.path() + "/tiphys.db";
  std::string uid;
  {
    TestStore store({.path = path, .archive = everything()});
    ASSERT_TRUE(store.create(kWorkflows, workflow("wf", {{"app", "train"}})));
    uid = text(*store.get(key(kWorkflows, "wf")), "metadata", "uid");
    ASSERT_TRUE(store.update_workflow_status(
        key(kWorkflows, "wf"),
        {.nodes = {{"a", R"({"id":"a"})"}}, .fields = {{"phase", "Failed"}}, .completed = true}));
    ASSERT_TRUE(store.remove(key(kWorkflows, "wf")));
    store.run();
    EXPECT_EQ(store.get(key(kWorkflows, "wf")).error().code, Code::kNotFound);
    EXPECT_EQ(store.journal(uid)->size(), 0U) << "the journal goes";
  }
  TestStore store({.path = path, .seed = 2});
  for (const ArchivedName& which : {ArchivedName{.uid = uid}, ArchivedName{.ns = "default", .name = "wf"}}) {
    const auto archived = store.get_archived(which);
    ASSERT_TRUE(archived) << archived.error().message;
    EXPECT_EQ(text(*archived, "status", "phase"), "Failed");
    EXPECT_EQ(text(*archived, "status", "nodes", "a", "id"), "a");
    EXPECT_EQ(text(*archived, "spec", "entrypoint"), "main");
    EXPECT_EQ(archiving_status(*archived), "Persisted");
  }
  EXPECT_THAT(found(store, {.labels = labels("app=train"), .kept_only = true}), ElementsAre("wf"));
  ASSERT_TRUE(store.remove_archived(uid));
  store.run();
  EXPECT_THAT(found(store), IsEmpty());
  const auto again = store.remove_archived(uid);
  EXPECT_EQ(again.error().code, Code::kNotFound);
  EXPECT_THAT(again.error().message, HasSubstr(uid));
}

TEST(StoreArchive, KeepsWhatIsMadeEndedAndDeletedAtOnce) {
  TestStore store({.archive = everything()});
  for (const char* phase : {"Failed", "Succeeded"}) {
    store->create(kWorkflows, workflow("wf"), [](const auto&) {});
    store->update_workflow_status(key(kWorkflows, "wf"),
                                  {.nodes = {{"a", R"({"id":"a"})"}}, .fields = {{"phase", phase}}, .completed = true},
                                  [](const auto&) {});
    store->remove(key(kWorkflows, "wf"), {}, [](const auto&) {});
  }
  store.run();
  const auto page = store.list_archive({.kept_only = true, .with_nodes = true});
  ASSERT_EQ(page->items.size(), 2U);
  for (const auto& item : page->items) {
    EXPECT_EQ(text(item, "spec", "entrypoint"), "main");
    EXPECT_EQ(text(item, "status", "nodes", "a", "id"), "a");
  }
}

TEST(StoreArchive, LosesTheMarkAloneOfWhatIsStillThere) {
  TestStore store({.archive = everything()});
  const std::string uid = ended(store, "wf");
  ASSERT_TRUE(store.remove_archived(uid));
  EXPECT_THAT(found(store, {.kept_only = true}), IsEmpty());
  EXPECT_THAT(found(store), ElementsAre("wf"));
  EXPECT_EQ(archiving_status(*store.get(key(kWorkflows, "wf"))), "");
  EXPECT_EQ(store.get_archived({.uid = uid}).error().code, Code::kNotFound);
  ASSERT_TRUE(store.remove(key(kWorkflows, "wf")));
  EXPECT_THAT(found(store), IsEmpty());
}

TEST(StoreArchive, GivesTheNewestOfAName) {
  TestStore store({.archive = everything()});
  ended(store, "wf", 1);
  ASSERT_TRUE(store.remove(key(kWorkflows, "wf")));
  const std::string newer = ended(store, "wf", 2);
  EXPECT_EQ(text(*store.get_archived({.ns = "default", .name = "wf"}), "metadata", "uid"), newer);
  ASSERT_TRUE(store.remove(key(kWorkflows, "wf")));
  EXPECT_THAT(found(store, {.name = "wf"}), ElementsAre("wf", "wf"));
  EXPECT_EQ(text(*store.get_archived({.ns = "default", .name = "wf"}), "metadata", "uid"), newer);
}

/// Some of three namespaces, in the order of their beginnings from old to new.
class StoreArchiveQuery : public testing::Test {
 protected:
  void SetUp() override {
    ended(store_, "eval-a", 10, {{"app", "eval"}, {"n", "1"}}, "blue");
    ended(store_, "train-a", 20, {{"app", "train"}, {"n", "2"}});
    ended(store_, "train-b", 30, {{"app", "train"}, {"n", "3"}}, "red");
    ended(store_, "plain", 40);
    ended(store_, "retrain", 40, {{"app", "train"}, {"n", "4"}}, "blue");
    ended(store_, "eval-b", 60, {{"app", "eval"}, {"team", "x"}});
    ASSERT_TRUE(store_.remove(key(kWorkflows, "train-a")));
    ASSERT_TRUE(store_.remove({&kWorkflows, "blue", "retrain"}));
  }

  TestStore store_{{.archive = cluster::Selector::parse("app").value()}};
};

TEST_F(StoreArchiveQuery, Selects) {
  const struct {
    const char* rule;
    ArchiveQuery query;
    std::vector<std::string> expected;
  } kRows[] = {
      {"all, the newest first", {}, {"eval-b", "retrain", "plain", "train-b", "train-a", "eval-a"}},
      {"a namespace", {.ns = "blue"}, {"retrain", "eval-a"}},
      {"a namespace without any", {.ns = "green"}, {}},
      {"all but a namespace", {.other_than_ns = "blue"}, {"eval-b", "plain", "train-b", "train-a"}},
      {"what is kept", {.kept_only = true}, {"eval-b", "retrain", "train-b", "train-a", "eval-a"}},
      {"a name", {.name = "train-a"}, {"train-a"}},
      {"a name elsewhere", {.ns = "red", .name = "train-a"}, {}},
      {"the beginning of a name", {.name = "train", .name_match = NameMatch::kPrefix}, {"train-b", "train-a"}},
      {"a part of a name", {.name = "train", .name_match = NameMatch::kContains}, {"retrain", "train-b", "train-a"}},
      {"a part of a name in a namespace",
       {.ns = "blue", .name = "train", .name_match = NameMatch::kContains},
       {"retrain"}},
      {"any other name",
       {.name = "plain", .name_match = NameMatch::kNotEquals},
       {"eval-b", "retrain", "train-b", "train-a", "eval-a"}},
      {"a prefix", {.name_prefix = "eval-"}, {"eval-b", "eval-a"}},
      {"a prefix and a name", {.name = "eval-b", .name_prefix = "eval-"}, {"eval-b"}},
      {"a prefix and another name", {.name = "plain", .name_prefix = "eval-"}, {}},
      {"a label", {.labels = labels("app=train")}, {"retrain", "train-b", "train-a"}},
      {"a label in a namespace", {.ns = "red", .labels = labels("app=train")}, {"train-b"}},
      {"a label and part of a name",
       {.name = "re", .name_match = NameMatch::kPrefix, .labels = labels("app=train")},
       {"retrain"}},
      {"one of some values",
       {.labels = labels("app in (train,eval,train)")},
       {"eval-b", "retrain", "train-b", "train-a", "eval-a"}},
      {"a label at all", {.labels = labels("team")}, {"eval-b"}},
      {"no such label", {.labels = labels("!app")}, {"plain"}},
      {"another value", {.labels = labels("app!=train")}, {"eval-b", "plain", "eval-a"}},
      {"none of some values", {.labels = labels("app notin (train)")}, {"eval-b", "plain", "eval-a"}},
      {"a greater value", {.labels = labels("n>2")}, {"retrain", "train-b"}},
      {"two labels", {.labels = labels("app=train,n in (1,4)")}, {"retrain"}},
      {"a label that is kept", {.labels = labels("app=eval"), .kept_only = true}, {"eval-b", "eval-a"}},
      {"a label that there is not", {.labels = labels("nobody=has")}, {}},
      {"begun after", {.started_after = at(30)}, {"eval-b", "retrain", "plain"}},
      {"begun before", {.started_before = at(30)}, {"train-a", "eval-a"}},
      {"begun between", {.started_after = at(10), .started_before = at(40)}, {"train-b", "train-a"}},
      {"a label begun between",
       {.labels = labels("app=train"), .started_after = at(20), .started_before = at(40)},
       {"train-b"}},
      {"part of a name begun after",
       {.name = "train", .name_match = NameMatch::kContains, .started_after = at(20)},
       {"retrain", "train-b"}},
      {"ended before", {.finished_before = at(35)}, {"train-a", "eval-a"}},
      {"created after", {.created_after = at(3600)}, {}},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.rule);
    EXPECT_EQ(found(store_, row.query), row.expected);

    // The same by pages of one, by offsets and from one to the next.
    std::vector<std::string> by_offset, by_place;
    std::string place;
    for (std::size_t i = 0; i < row.expected.size(); ++i) {
      ArchiveQuery query = row.query;
      query.limit = 1;
      query.counts_rest = true;
      query.offset = i;
      const auto page = store_.list_archive(query);
      ASSERT_TRUE(page && page->items.size() == 1);
      EXPECT_EQ(page->rest, row.expected.size() - i - 1);
      EXPECT_EQ(page->next.empty(), *page->rest == 0);
      by_offset.push_back(text(page->items[0], "metadata", "name"));

      query.offset = 0;
      query.counts_rest = false;
      query.after = place;
      const auto next = store_.list_archive(query);
      ASSERT_TRUE(next && next->items.size() == 1);
      by_place.push_back(text(next->items[0], "metadata", "name"));
      place = next->next;
    }
    EXPECT_EQ(by_offset, row.expected);
    EXPECT_EQ(by_place, row.expected);
    EXPECT_EQ(place, "") << "the end";
  }
}

TEST_F(StoreArchiveQuery, RefusesAPlaceOfNoList) {
  EXPECT_EQ(store_.list_archive({.after = "7"}).error().code, Code::kInvalidArgument);
}

TEST_F(StoreArchiveQuery, TellsLabels) {
  EXPECT_THAT(*store_.archive_labels("", "app"), ElementsAre("eval", "train"));
  EXPECT_THAT(*store_.archive_labels("red", "app"), ElementsAre("train"));
  EXPECT_THAT(*store_.archive_labels("", "n"), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(*store_.archive_labels("", "nobody"), IsEmpty());
  EXPECT_THAT(*store_.archive_labels("red"), ElementsAre("app", "n", kCompleted, kArchivingStatusLabel));
  EXPECT_THAT(*store_.archive_labels(""), ElementsAre("app", "n", "team", kCompleted, kArchivingStatusLabel));
}

TEST(StoreArchive, ManyAreWalkedInTurns) {
  TestStore store;
  constexpr int kMany = 700;
  for (int i = 0; i < kMany; ++i) ended(store, fmt::format("wf-{}", i), i, {{"odd", i % 2 ? "yes" : "no"}});
  const auto page = store.list_archive({.limit = 3, .counts_rest = true});
  EXPECT_EQ(page->rest, kMany - 3U);
  EXPECT_EQ(text(page->items[0], "metadata", "name"), "wf-699");
  EXPECT_THAT(found(store, {.offset = kMany - 2, .limit = 10}), ElementsAre("wf-1", "wf-0"));
  EXPECT_EQ(found(store, {.labels = labels("odd=yes")}).size(), kMany / 2U);
  EXPECT_EQ(found(store, {.labels = labels("odd!=yes")}).size(), kMany / 2U);
  EXPECT_EQ(found(store, {.name = "wf", .name_match = NameMatch::kPrefix}).size(), static_cast<std::size_t>(kMany));
}

TEST(StoreArchive, LetsGoOfWhatIsOldByATimer) {
  TestStore store({.archive = everything(), .archive_ttl = std::chrono::hours(1)});
  const int now = static_cast<int>((store.executor().now() - at(0)) / std::chrono::seconds(1));
  ended(store, "older", now);
  ended(store, "newer", now + 600);
  ended(store, "there", now);
  for (const char* name : {"older", "newer"}) ASSERT_TRUE(store.remove(key(kWorkflows, name)));
  store.run();
  EXPECT_THAT(found(store), ElementsAre("newer", "there", "older"));
  const Time begin = store.executor().now();
  const auto wait = [&](std::vector<std::string> expected) {
    store.executor().run_until([&] { return found(store) == expected; });
  };
  wait({"newer", "there"});
  EXPECT_LE(store.executor().now() - begin, std::chrono::minutes(62));
  wait({"there"});
  EXPECT_GE(store.executor().now() - begin, std::chrono::minutes(70));
}

TEST(StoreArchive, LetsGoOfTheOlderThoughTheNewerCameFirst) {
  TestStore store({.archive = everything(), .archive_ttl = std::chrono::hours(1)});
  const int now = static_cast<int>((store.executor().now() - at(0)) / std::chrono::seconds(1));
  ended(store, "newer", now + 600);
  ended(store, "older", now);
  const Time begin = store.executor().now();
  for (const char* name : {"newer", "older"}) {
    ASSERT_TRUE(store.remove(key(kWorkflows, name)));
    store.run();
  }
  store.executor().run_until([&] { return found(store) == std::vector<std::string>{"newer"}; });
  EXPECT_THAT(found(store), ElementsAre("newer"));
  EXPECT_LE(store.executor().now() - begin, std::chrono::minutes(62));
}

TEST(StoreArchive, LetsGoOfWhatIsOldAlsoWhenItCameWhileNothingWasAccepted) {
  TestStore store({.most_pending_rows = 2, .archive = everything(), .archive_ttl = std::chrono::hours(1)});
  ended(store, "old");
  int refused = 0;
  store->remove(key(kWorkflows, "old"), {}, [&](auto) {
    for (const char* name : {"a", "b", "c"}) {
      store->create(cluster::kConfigMaps, named(name), {}, [&](auto made) { refused += !made; });
    }
  });
  store.run();
  EXPECT_GT(refused, 0);
  EXPECT_THAT(found(store), ElementsAre("old"));
  store.executor().run_until([&] { return found(store).empty(); });
  EXPECT_THAT(found(store), IsEmpty());
}

TEST(StoreArchive, IndexesWhatADatabaseOfBeforeHas) {
  const TempDir temp(TempDir::memory());
  const std::string path = temp.path() + "/tiphys.db";
  {
    TestStore store({.path = path});
    ended(store, "old", 1, {{"app", "train"}});
    ended(store, "new", 2);
    ASSERT_TRUE(store.create(kWorkflows, named("live")));
  }
  {
    auto database = Database::open(path, SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(database);
    ASSERT_TRUE(
        database->execute("DROP TABLE archive; DROP TABLE archive_labels; DROP TABLE archive_bodies; "
                          "PRAGMA user_version = 5"));
  }
  TestStore store({.path = path, .seed = 2});
  EXPECT_THAT(found(store), ElementsAre("new", "old"));
  EXPECT_THAT(found(store, {.labels = labels("app=train")}), ElementsAre("old"));
  EXPECT_THAT(found(store, {.finished_before = at(7)}), ElementsAre("old"));
}

}  // namespace
}  // namespace tiphys::store

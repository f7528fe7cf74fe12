// The archive over a database of which only the statements are looked at: what is written when, and how lists of both
// places become one. tests/e2e/test_archive_databases.py has real servers.
#include "persist/shared_archive.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "persist/archiver.h"
#include "store/test_objects.h"

namespace tiphys::persist {
namespace {

using cluster::kWorkflows;
using store::TestStore;
using testing::ElementsAre;
using testing::IsEmpty;

/// Rows of argo_archived_workflows by their uids.
struct FakeDatabase {
  struct Row {
    std::string started, workflow;
  };
  std::map<std::string, Row> rows;
  bool away = false;
  std::string refused;  ///< a name whose row is not taken
};

class FakeConnection final : public Connection {
 public:
  explicit FakeConnection(FakeDatabase& database) : database_(database) {}
  int socket() const override { return -1; }

  Result<SqlResult> run(const Statement& statement) override {
    if (database_.away) return fail(Code::kUnavailable, "nobody answers");
    const std::string& text = statement.text;
    const auto value = [&](std::size_t i) { return std::get<std::string>(statement.values[i]); };
    SqlResult result;
    if (text == "BEGIN") {
      before_ = database_.rows;
    } else if (text == "ROLLBACK") {
      database_.rows = before_;
    } else if (text.starts_with("INSERT INTO argo_archived_workflows (")) {
      if (value(3) == database_.refused) return fail(Code::kInternal, "it is too long");
      database_.rows[value(2)] = {value(6) + ".000000", value(9)};
    } else if (text.starts_with("DELETE FROM argo_archived_workflows WHERE")) {
      result.affected = database_.rows.erase(value(2));
    } else if (text.starts_with("SELECT to_char")) {
      result.rows = keys(statement);
    } else if (text.starts_with("SELECT count")) {
      result.rows = {{std::to_string(keys(statement).size())}};
    } else if (text.starts_with("SELECT w.uid")) {
      for (std::size_t i = 2; i < statement.values.size(); ++i) {
        if (database_.rows.contains(value(i))) result.rows.push_back({value(i), database_.rows[value(i)].workflow});
      }
    } else if (text.starts_with("SELECT w.workflow")) {
      if (database_.rows.contains(value(2))) result.rows.push_back({database_.rows[value(2)].workflow});
    }
    return result;
  }

 private:
  std::vector<std::vector<std::optional<std::string>>> keys(const Statement& statement) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& [uid, row] : database_.rows) all.emplace_back(row.started, uid);
    std::ranges::sort(all, std::ranges::greater());
    const bool goes_on = statement.text.contains("w.startedat <= ");
    const auto* most = std::get_if<std::int64_t>(&statement.values.back());
    std::vector<std::vector<std::optional<std::string>>> found;
    for (const auto& [started, uid] : all) {
      if (goes_on && std::pair(started, uid) >= std::pair(std::get<std::string>(statement.values[2]),
                                                          std::get<std::string>(statement.values[4]))) {
        continue;
      }
      if (most && found.size() == static_cast<std::size_t>(*most)) break;
      found.push_back({started, uid});
    }
    return found;
  }

  FakeDatabase& database_;
  std::map<std::string, FakeDatabase::Row> before_;
};

Time at(int second) {
  return Time(std::chrono::seconds(1'700'000'000 + second));
}

class SharedArchiveTest : public testing::Test {
 protected:
  SharedArchiveTest() { archiver_.start(); }

  /// A workflow that has begun at this second, and ended.
  std::string ended(std::string_view name, int started, TestStore* where = nullptr) {
    TestStore& store = where ? *where : store_;
    const auto made = store.create(kWorkflows, store::named(name));
    TIPHYS_CHECK(made, "a workflow can be made");
    const Status done =
        store.update_workflow_status({&kWorkflows, "default", std::string(name)},
                                     {.nodes = {{"a", R"({"id":"a"})"}},
                                      .fields = {{"phase", "Succeeded"}, {"startedAt", format_rfc3339(at(started))}},
                                      .completed = true});
    TIPHYS_CHECK(done, "a workflow can end");
    store.run();
    return store::text(*made, "metadata", "uid");
  }

  /// A row that is not ours.
  void row(const std::string& uid, int started) {
    database_.rows[uid] = {sql_time(at(started)) + ".000000",
                           fmt::format(R"({{"metadata":{{"name":"{0}","namespace":"default","uid":"{0}"}}}})", uid)};
  }

  std::string status(std::string_view name) {
    const auto found = store_.get({&kWorkflows, "default", std::string(name)});
    return found ? store::text(*found, "metadata", "labels", store::kArchivingStatusLabel) : "gone";
  }

  Result<store::ArchivePage> list(store::ArchiveQuery query) {
    return store_.wait<store::ArchivePage>(
        [&](auto done) { archive_.list_archive(std::move(query), std::move(done)); });
  }
  static std::vector<std::string> names(const Result<store::ArchivePage>& page) {
    if (!page) return {page.error().message};
    std::vector<std::string> found;
    for (const auto& item : page->items) found.push_back(store::text(item, "metadata", "name"));
    return found;
  }
  void wait(int seconds) {
    bool due = false;
    store_.executor().schedule(store_.executor().now() + std::chrono::seconds(seconds), [&] { due = true; });
    store_.executor().run_until([&] { return due; });
    store_.run();
  }

  FakeDatabase database_;
  TestStore store_{{.archive = cluster::Selector(), .archived_elsewhere = true}};
  ConnectionPool pool_{store_.executor(),
                       {.connect = [this](const Credentials&) -> Result<std::unique_ptr<Connection>> {
                         if (database_.away) return fail(Code::kUnavailable, "nobody answers");
                         return std::make_unique<FakeConnection>(database_);
                       }}};
  ArchiveDatabase shared_{.pool = pool_, .sql = ArchiveSql(Dialect::kPostgreSql, "default", ""), .credentials = [] {
                            return Credentials{};
                          }};
  SharedArchive archive_{store_.executor(), store_.store(), shared_};
  Archiver archiver_{store_.executor(), store_.store(), shared_};
};

TEST_F(SharedArchiveTest, HasWhatIsMarkedAsArchived) {
  const std::string uid = ended("wf", 1);
  EXPECT_EQ(status("wf"), "Archived");
  ASSERT_TRUE(database_.rows.contains(uid));
  EXPECT_THAT(database_.rows[uid].workflow, testing::HasSubstr(R"(/workflow-archiving-status":"Persisted")"));
  EXPECT_THAT(database_.rows[uid].workflow, testing::HasSubstr(R"("nodes":{"a":{"id":"a"}})"));
  ASSERT_TRUE(store_.remove({&kWorkflows, "default", "wf"}));
  EXPECT_THAT(names(store_.list_archive()), IsEmpty()) << "it is in one place";
  EXPECT_THAT(names(list({})), ElementsAre("wf"));
  EXPECT_THAT(names(list({.kept_only = true})), ElementsAre("wf"));
}

TEST_F(SharedArchiveTest, LosesNothingWhileTheDatabaseIsAway) {
  database_.away = true;
  const std::string uid = ended("wf", 1);
  EXPECT_EQ(status("wf"), "Pending");
  EXPECT_THAT(names(list({})), ElementsAre("nobody answers"));
  ASSERT_TRUE(store_.remove({&kWorkflows, "default", "wf"}));
  wait(300);
  EXPECT_THAT(names(store_.list_archive()), ElementsAre("wf")) << "its object is gone, and it is not";
  const auto waiting = store_.wait<cluster::Object>(
      [&](auto done) { archive_.get_archived({.ns = "default", .name = "wf"}, std::move(done)); });
  EXPECT_TRUE(waiting) << "the database need not be asked for it";
  database_.away = false;
  wait(61);
  EXPECT_TRUE(database_.rows.contains(uid));
  EXPECT_THAT(names(store_.list_archive()), IsEmpty());
  EXPECT_THAT(names(list({})), ElementsAre("wf"));
}

TEST_F(SharedArchiveTest, GoesOnBehindWhatTheDatabaseRefuses) {
  database_.refused = "bad";
  const std::string bad = ended("bad", 2), good = ended("good", 1);
  wait(70);
  EXPECT_EQ(status("bad"), "Pending");
  EXPECT_EQ(status("good"), "Archived");
  EXPECT_FALSE(database_.rows.contains(bad));
  database_.refused = "";
  wait(61);
  EXPECT_EQ(status("bad"), "Archived");
}

TEST_F(SharedArchiveTest, WritesAgainWhatRunsOn) {
  const std::string uid = ended("wf", 1);
  const doc::Value goes_on{
      {"metadata",
       {{"labels", {{"workflows.argoproj.io/completed", nullptr}, {store::kArchivingStatusLabel, nullptr}}}}}};
  ASSERT_TRUE(store_.patch({&kWorkflows, "default", "wf"}, cluster::PatchType::kMerge, goes_on));
  store_.run();
  EXPECT_EQ(status("wf"), "");
  ASSERT_TRUE(store_.update_workflow_status({&kWorkflows, "default", "wf"},
                                            {.fields = {{"phase", "Failed"}}, .completed = true}));
  store_.run();
  EXPECT_EQ(status("wf"), "Archived");
  EXPECT_THAT(database_.rows[uid].workflow, testing::HasSubstr(R"("phase":"Failed")"));
}

TEST_F(SharedArchiveTest, ShowsEachWorkflowOnce) {
  ended("here-1", 1);  // and a row of each
  row("row-2", 2);
  ended("here-3", 3);
  row("row-4", 4);
  row("row-0", 0);
  const std::vector<std::string> all{"row-4", "here-3", "row-2", "here-1", "row-0"};
  EXPECT_EQ(names(list({})), all);
  for (std::size_t limit = 1; limit <= 6; ++limit) {
    std::vector<std::string> found;
    std::string after;
    do {
      const auto page = list({.after = after, .limit = limit, .counts_rest = true});
      ASSERT_TRUE(page) << page.error().message;
      for (const std::string& name : names(page)) found.push_back(name);
      EXPECT_EQ(page->places.size(), page->items.size());
      after = page->next;
      EXPECT_EQ(after.empty(), found.size() == all.size()) << limit;
      if (found.size() > all.size()) break;
    } while (!after.empty());
    EXPECT_EQ(found, all) << limit;
  }
  for (std::size_t offset = 0; offset <= all.size(); ++offset) {
    const std::vector<std::string> rest(all.begin() + static_cast<std::ptrdiff_t>(offset), all.end());
    EXPECT_EQ(names(list({.with_nodes = true, .offset = offset})), rest) << offset;
  }
  EXPECT_EQ(list({.with_nodes = true, .offset = 4})->items.size(), 1U);
  for (std::size_t limit = 1; limit <= 5; ++limit) {
    EXPECT_EQ(list({.limit = limit, .counts_rest = true})->rest, all.size() - limit);
  }
  EXPECT_EQ(list({.after = "what"}).error().code, Code::kInvalidArgument);
}

TEST_F(SharedArchiveTest, ForgetsWhatIsDeleted) {
  const std::string uid = ended("wf", 1);
  const auto remove = [&](const std::string& which) {
    return store_.wait<void>([&](auto done) { archive_.remove_archived(which, std::move(done)); });
  };
  ASSERT_TRUE(remove(uid));
  EXPECT_EQ(status("wf"), "") << "its object stays";
  EXPECT_THAT(database_.rows, IsEmpty());
  EXPECT_EQ(remove(uid).error().code, Code::kNotFound);
  row("other", 1);
  ASSERT_TRUE(remove("other"));
  const auto gone =
      store_.wait<cluster::Object>([&](auto done) { archive_.get_archived({.uid = "other"}, std::move(done)); });
  EXPECT_EQ(gone.error().code, Code::kNotFound);
}

TEST(SharedArchive, TakesWhatWasInThePlanesOwn) {
  const store::TempDir temp(store::TempDir::memory());
  const std::string path = temp.path() + "/tiphys.db";
  FakeDatabase database;
  std::vector<std::string> uids;
  {
    TestStore store({.path = path, .archive = cluster::Selector()});
    for (const char* name : {"gone", "there"}) {
      const auto made = store.create(kWorkflows, store::named(name));
      ASSERT_TRUE(store.update_workflow_status({&kWorkflows, "default", name}, {.completed = true}));
      uids.push_back(store::text(*made, "metadata", "uid"));
    }
    ASSERT_TRUE(store.remove({&kWorkflows, "default", "gone"}));
  }
  for (int start = 0; start < 2; ++start) {
    TestStore store({.path = path, .archive = cluster::Selector(), .archived_elsewhere = true, .seed = 2});
    ConnectionPool pool(store.executor(), {.connect = [&](const Credentials&) -> Result<std::unique_ptr<Connection>> {
                          return std::make_unique<FakeConnection>(database);
                        }});
    ArchiveDatabase shared{.pool = pool, .sql = ArchiveSql(Dialect::kPostgreSql, "default", ""), .credentials = [] {
                             return Credentials{};
                           }};
    Archiver archiver(store.executor(), store.store(), shared);
    archiver.start();
    store.run();
    EXPECT_EQ(database.rows.size(), 2U);
    EXPECT_TRUE(store.list_archive({.kept_only = true})->items.empty()) << "nothing waits";
    const auto there = store.get({&kWorkflows, "default", "there"});
    EXPECT_EQ(store::text(*there, "metadata", "labels", store::kArchivingStatusLabel), "Archived");
  }
}

}  // namespace
}  // namespace tiphys::persist

// Commits that fail: nothing is acknowledged, memory goes back to what is on disk, and writing comes back.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "store/store.h"
#include "store/testing.h"

namespace tiphys::store {
namespace {

using cluster::kConfigMaps;
using cluster::Key;
using cluster::kPods;
using cluster::kWorkflows;
using cluster::PatchType;
using testing::HasSubstr;

doc::Value named(std::string_view name, std::string_view owner_uid = "") {
  doc::Value object{{"metadata", {{"name", name}}}};
  if (!owner_uid.empty()) {
    object.at("metadata").as_object()["ownerReferences"] = {
        {{"apiVersion", "argoproj.io/v1alpha1"}, {"kind", "Workflow"}, {"name", "w"}, {"uid", owner_uid}}};
  }
  return object;
}

Key key(const cluster::Resource& resource, std::string name) {
  return {&resource, "default", std::move(name)};
}

/// Fails chosen commits.
struct Faults {
  std::function<Status()> hook() {
    return [this]() -> Status {
      if (++commits == fail_at || failing) return fail(Code::kResourceExhausted, "no space left on device");
      return {};
    };
  }
  int commits = 0;
  int fail_at = 0;
  bool failing = false;
};

/// All objects of the kinds that the tests write, as JSON.
std::vector<std::string> contents(TestStore& store) {
  std::vector<std::string> found;
  for (const auto* resource : {&kWorkflows, &kPods, &kConfigMaps}) {
    const auto list = store.list(*resource, {.with_nodes = true});
    for (const auto& item : list->items) found.push_back(doc::to_json(*item));
  }
  return found;
}

void pass_time(TestStore& store) {
  store.executor().run_until([] { return false; });
}

void run_sql(const std::string& path, const char* sql) {
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
}

TEST(StoreFault, FailsAllThatIsPendingAndRollsBack) {
  Faults faults;
  TestStore store({.before_commit = faults.hook()});
  ASSERT_TRUE(store.create(kPods, named("kept")));
  const std::uint64_t version = store->resource_version();
  std::vector<std::string> events;
  const auto watch = store->watch(
      kPods, {}, {.on_event = [&](const auto&) { events.emplace_back("event"); }, .on_end = [](const Error&) {}});
  store.run();
  events.clear();

  faults.failing = true;
  std::vector<Error> errors;
  const auto expect_error = [&](const auto& result) {
    ASSERT_FALSE(result);
    errors.push_back(result.error());
  };
  store->create(kPods, named("new"), expect_error);
  store->remove(key(kPods, "kept"), {.grace_seconds = 0}, expect_error);
  store->create(kPods, named("kept"), expect_error);
  bool read = false;
  store->get(key(kPods, "kept"), [&](auto found) { read = found.has_value(); });
  store.run();
  ASSERT_EQ(errors.size(), 3U);
  for (const Error& error : errors) {
    EXPECT_EQ(error.code, Code::kResourceExhausted);
    EXPECT_THAT(error.message,
                HasSubstr("nothing can be written: no space left on device; writing is tried again in 1s"));
  }
  EXPECT_TRUE(read);
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(store->resource_version(), version);
  EXPECT_EQ(store.get(key(kPods, "new")).error().code, Code::kNotFound);
  ASSERT_NE(store->degraded(), nullptr);

  // Refused at once, without a commit.
  const int commits = faults.commits;
  EXPECT_EQ(store.create(kPods, named("new")).error().code, Code::kResourceExhausted);
  EXPECT_EQ(faults.commits, commits);

  faults.failing = false;
  pass_time(store);
  EXPECT_EQ(store->degraded(), nullptr);
  EXPECT_TRUE(store.create(kPods, named("new")));
  store.run();
  EXPECT_EQ(events.size(), 1U);
}

// A short life of a workflow; each commit of it fails once, and what failed is done again.
TEST(StoreFault, OfAnyCommitLosesNothing) {
  const auto live = [](TestStore& store) {
    const auto insist = [&](auto call) {
      for (int tries = 0; tries < 3; ++tries) {
        auto result = call();
        if (result || result.error().code != Code::kResourceExhausted) return result;
        pass_time(store);
      }
      return call();
    };
    const auto w = insist([&] { return store.create(kWorkflows, named("w")); });
    ASSERT_TRUE(w);
    const std::string uid(doc::find_string(**w, "metadata", "uid"));
    for (int i = 0; i < 3; ++i) {
      const auto name = fmt::format("p{}", i);
      ASSERT_TRUE(insist([&] { return store.create(kPods, named(name, uid)); }));
      ASSERT_TRUE(insist([&] {
        return store.update_workflow_status(
            key(kWorkflows, "w"), {.nodes = {{name, fmt::format(R"({{"id":"{}"}})", name)}}, .fields = {{"step", i}}});
      }));
      ASSERT_TRUE(insist([&] {
        return store.patch(key(kPods, name), PatchType::kMerge,
                           {{"status", {{"phase", i == 2 ? "Running" : "Succeeded"}}}});
      }));
    }
    ASSERT_TRUE(insist([&] { return store.create(kConfigMaps, named("c")); }));
    EXPECT_EQ(store.list(kPods)->items.size(), 3U);
    const auto status = (*store.get(key(kWorkflows, "w")))->at("status");
    EXPECT_EQ(status.at("nodes").as_object().size(), 3U);
    ASSERT_TRUE(insist([&] { return store.remove(key(kWorkflows, "w")); }));
    pass_time(store);
    EXPECT_EQ(store.list(kPods)->items.size(), 1U) << "the running one waits for the agent";
    EXPECT_TRUE(store.journal(uid)->empty());
  };
  Faults calm;
  {
    TestStore store({.before_commit = calm.hook()});
    live(store);
  }
  ASSERT_GT(calm.commits, 10);
  for (int at = 1; at <= calm.commits; ++at) {
    SCOPED_TRACE(fmt::format("commit {} fails", at));
    const TempDir temp(TempDir::memory());
    Faults faults{.fail_at = at};
    std::vector<std::string> before;
    {
      TestStore store({.path = temp.path() + "/tiphys.db", .before_commit = faults.hook()});
      live(store);
      before = contents(store);
    }
    TestStore reopened({.path = temp.path() + "/tiphys.db"});
    EXPECT_EQ(contents(reopened), before);
  }
}

TEST(StoreFault, OfAFullDatabaseEndsWhenThereIsSpaceAgain) {
  const TempDir temp(TempDir::memory());
  TestStore store({.path = temp.path() + "/tiphys.db", .most_database_bytes = 300'000});
  int made = 0;
  while (true) {
    doc::Value object = named(fmt::format("c{}", made));
    object.as_object()["data"] = {{"text", std::string(20'000, 'x')}};
    const auto result = store.create(kConfigMaps, object);
    if (!result) {
      EXPECT_EQ(result.error().code, Code::kResourceExhausted);
      EXPECT_THAT(result.error().message, HasSubstr("database or disk is full"));
      break;
    }
    ASSERT_LT(++made, 100);
  }
  EXPECT_EQ(store.list(kConfigMaps)->items.size(), static_cast<std::size_t>(made));
  pass_time(store);
  ASSERT_TRUE(store.remove(key(kConfigMaps, "c0")));
  EXPECT_TRUE(store.create(kConfigMaps, named("small")));
}

TEST(StoreFault, OfADamagedFileIsTold) {
  const TempDir temp(TempDir::memory());
  const std::string path = temp.path() + "/tiphys.db";
  {
    TestStore store({.path = path});
  }
  std::filesystem::resize_file(path, 5000);
  SimulatedExecutor executor;
  SeededRandom random(1);
  auto opened = Store::open({.path = path, .executor = executor, .random = random, .inline_commits = true});
  if (opened) {
    Result<cluster::List> list;
    (*opened)->list(kPods, {}, [&](auto result) { list = std::move(result); });
    executor.run_ready();
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().code, Code::kDataLoss);
  } else {
    EXPECT_EQ(opened.error().code, Code::kDataLoss);
  }
}

// That finished objects are not read at a start shows when they cannot be.
TEST(StoreFault, OfAFinishedObjectHurtsNobodyElse) {
  const TempDir temp(TempDir::memory());
  const std::string path = temp.path() + "/tiphys.db";
  {
    TestStore store({.path = path});
    ASSERT_TRUE(store.create(kWorkflows, named("live")));
    ASSERT_TRUE(store.create(kWorkflows, named("ended")));
    ASSERT_TRUE(store.update_workflow_status(key(kWorkflows, "ended"), {.completed = true}));
  }
  run_sql(path, "UPDATE objects SET body = '{' WHERE name = 'ended'");
  TestStore store({.path = path});
  const auto live =
      store.list(kWorkflows, {.labels = *cluster::Selector::parse("workflows.argoproj.io/completed!=true")});
  ASSERT_TRUE(live);
  EXPECT_EQ(live->items.size(), 1U);
  EXPECT_EQ(store.get(key(kWorkflows, "ended")).error().code, Code::kDataLoss);
  EXPECT_EQ(store.list(kWorkflows).error().code, Code::kDataLoss);
}

// The same of those that will expire: the index that finds them also comes to a database of before.
TEST(StoreFault, OfWhatDoesNotExpireHurtsNobodyWhoAsksWhatDoes) {
  const TempDir temp(TempDir::memory());
  const std::string path = temp.path() + "/tiphys.db";
  {
    TestStore store({.path = path});
    for (const char* name : {"expires", "ended"}) {
      ASSERT_TRUE(store.create(kWorkflows, named(name)));
      cluster::WorkflowStatusUpdate update{.completed = true};
      if (name == std::string_view("expires")) update.labels["tiphys.io/expires"] = "true";
      ASSERT_TRUE(store.update_workflow_status(key(kWorkflows, name), std::move(update)));
    }
  }
  run_sql(path, "UPDATE objects SET body = '{', labels = '{' WHERE name = 'ended'");
  run_sql(path, "DROP INDEX objects_expiring");
  run_sql(path, "PRAGMA user_version = 1");
  TestStore store({.path = path});
  for (const char* selector : {"tiphys.io/expires", "tiphys.io/expires=true,workflows.argoproj.io/completed=true"}) {
    for (const char* ns : {"", "default"}) {
      const auto found = store.list(kWorkflows, {.ns = ns, .labels = *cluster::Selector::parse(selector)});
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_EQ(found->items.size(), 1U) << selector;
    }
  }
}

TEST(StoreFault, PodsWithFinalizersAreFoundWithoutTheOthersThatHaveEnded) {
  const TempDir temp(TempDir::memory());
  const std::string path = temp.path() + "/tiphys.db";
  const auto live = [](TestStore& store) {
    std::vector<std::string> names;
    const auto found = store.list(kPods, {.live_only = true});
    for (const auto& pod : found->items) names.emplace_back(doc::find_string(*pod, "metadata", "name"));
    return names;
  };
  {
    TestStore store({.path = path});
    for (const char* name : {"begun", "ended", "held"}) {
      doc::Value pod = named(name);
      pod.as_object()["status"] = doc::Object{{"phase", name == std::string_view("begun") ? "Running" : "Succeeded"}};
      if (name == std::string_view("held")) {
        pod.as_object()["metadata"].as_object()["finalizers"] = doc::Array{"batch.kubernetes.io/job-tracking"};
      }
      ASSERT_TRUE(store.create(kPods, std::move(pod)));
    }
    EXPECT_THAT(live(store), testing::ElementsAre("begun", "held"));
  }
  run_sql(path, "UPDATE objects SET live = 0 WHERE name = 'held'");
  run_sql(path, "PRAGMA user_version = 6");
  TestStore store({.path = path, .seed = 2});
  EXPECT_THAT(live(store), testing::ElementsAre("begun", "held"));
}

TEST(StoreFault, OfANewerDatabaseIsTold) {
  const TempDir temp(TempDir::memory());
  const std::string path = temp.path() + "/tiphys.db";
  {
    TestStore store({.path = path});
  }
  run_sql(path, "PRAGMA user_version = 99");
  SimulatedExecutor executor;
  SeededRandom random(1);
  const auto opened = Store::open({.path = path, .executor = executor, .random = random, .inline_commits = true});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(opened.error().message, HasSubstr("written by a newer tiphys"));
}

}  // namespace
}  // namespace tiphys::store

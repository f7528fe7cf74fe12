// The archive with many workflows: how long its lists take, and how long the longest turn of each keeps the plane's
// thread. Fills the tables of a new store first.
//
//   archive_bench [WORKFLOWS] [DIRECTORY]      default: 1000000, a directory of /tmp that goes afterwards
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "store/sqlite.h"
#include "store/testing.h"

namespace tiphys::store {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

void must(const Status& status) {
  TIPHYS_CHECK(status, status ? "" : status.error().message);
}

/// Workflows of five namespaces, a second apart, of a hundred apps, one in fifty failed, each with a label of its own.
/// One in a thousand has the label "rare".
constexpr const char* kFill = R"sql(
CREATE TEMP TABLE made AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
  SELECT i, printf('%08x-0000-4000-8000-%012x', i, i) AS uid, printf('team-%d', i % 5) AS ns,
    printf('%s-%07x', CASE i % 3 WHEN 0 THEN 'train' WHEN 1 THEN 'evaluate' ELSE 'etl' END, i) AS name,
    iif(i % 50 = 0, 'Failed', 'Succeeded') AS phase, 1700000000 + i AS at, printf('app-%d', i % 100) AS app FROM n;
INSERT INTO archive SELECT i, uid, ns, name, phase, at, at, at + 60, 1 FROM made;
INSERT INTO archive_labels
  SELECT key, value, ns, at, i FROM (
    SELECT 'app' AS key, app AS value, ns, at, i FROM made UNION ALL
    SELECT 'rare', 'yes', ns, at, i FROM made WHERE i % 1000 = 0 UNION ALL
    SELECT 'run', uid, ns, at, i FROM made UNION ALL
    SELECT 'workflows.argoproj.io/completed', 'true', ns, at, i FROM made UNION ALL
    SELECT 'workflows.argoproj.io/phase', phase, ns, at, i FROM made) ORDER BY 1, 2, 3, 4, 5;
INSERT INTO archive_bodies SELECT i, at + 60, json_object('apiVersion', 'argoproj.io/v1alpha1', 'kind', 'Workflow',
  'metadata', json_object('name', name, 'namespace', ns, 'uid', uid, 'creationTimestamp',
    strftime('%Y-%m-%dT%H:%M:%SZ', at, 'unixepoch'), 'labels', json_object('app', app, 'run', uid,
    'workflows.argoproj.io/completed', 'true', 'workflows.argoproj.io/phase', phase)),
  'spec', NULL, 'status', json_object('phase', phase, 'startedAt', strftime('%Y-%m-%dT%H:%M:%SZ', at, 'unixepoch'),
    'finishedAt', strftime('%Y-%m-%dT%H:%M:%SZ', at + 60, 'unixepoch'), 'progress', '3/3', 'message', printf('%.200c', 'm')))
  FROM made;
INSERT INTO parts SELECT uid, 0, json_object('entrypoint', 'main', 'templates', json_array(json_object('name', 'main',
  'container', json_object('image', 'busybox', 'command', json_array('echo'))))) FROM made ORDER BY uid;
INSERT INTO nodes SELECT uid, name, 1, json_object('id', name, 'name', name, 'type', 'Pod', 'phase', phase) FROM made;
DROP TABLE made;
)sql";

void fill(const std::string& path, long long workflows) {
  {
    TestStore store({.path = path});
  }
  auto database = Database::open(path, SQLITE_OPEN_READWRITE);
  TIPHYS_CHECK(database, "the store's database can be opened");
  std::string sql = kFill;
  sql.replace(sql.find("?1"), 2, std::to_string(workflows));
  must(database->execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN"));
  must(database->execute(sql.c_str()));
  must(database->execute("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)"));
}

/// What a call takes: the fastest of some, and of that its longest turn.
struct Cost {
  double whole = 0, turn = 0;
};

template <typename T, typename Call>
Cost measure(TestStore& store, Call call) {
  constexpr int kRounds = 5;
  Cost best{.whole = 1e9};
  for (int i = 0; i < kRounds; ++i) {
    Cost cost;
    bool answered = false;
    const auto begin = Clock::now();
    call([&](Result<T> result) {
      TIPHYS_CHECK(result, "the call is answered");
      answered = true;
    });
    while (!answered) {
      const auto turn = Clock::now();
      store.executor().step();
      cost.turn = std::max(cost.turn, milliseconds(Clock::now() - turn));
    }
    cost.whole = milliseconds(Clock::now() - begin);
    if (cost.whole < best.whole) best = cost;
  }
  return best;
}

void show(std::string_view job, const Cost& cost) {
  fmt::print("| {} | {:.2f} ms | {:.2f} ms |\n", job, cost.whole, cost.turn);
}

void lists(TestStore& store, long long workflows) {
  using Match = ArchiveQuery::NameMatch;
  const auto labels = [](std::string_view text) { return *cluster::Selector::parse(text); };
  const std::size_t deep = static_cast<std::size_t>(workflows) / 20;
  const std::string middle = fmt::format("{}/{}", 1'700'000'000 + workflows - static_cast<long long>(deep),
                                         workflows - static_cast<long long>(deep));
  const std::pair<std::string, ArchiveQuery> jobs[] = {
      {"all namespaces, page 1", {}},
      {fmt::format("page {}, by the place where the one before ended", deep / 50), {.after = middle}},
      {fmt::format("page {}, by its offset", deep / 50), {.offset = deep}},
      {"a namespace", {.ns = "team-3"}},
      {"a namespace, with nodes", {.ns = "team-3", .with_nodes = true}},
      {"one label (1 in 100)", {.labels = labels("app=app-7")}},
      {"one label that all have", {.labels = labels("workflows.argoproj.io/completed=true")}},
      {"one label of a namespace", {.ns = "team-2", .labels = labels("app=app-7")}},
      {"two labels", {.labels = labels("app=app-50,workflows.argoproj.io/phase=Failed")}},
      {"two values (phase in (Failed,Error))", {.labels = labels("workflows.argoproj.io/phase in (Failed,Error)")}},
      {"a label at all (1 in 1,000)", {.labels = labels("rare")}},
      {"all but a label's value", {.labels = labels("app!=app-7")}},
      {"a name", {.name = "train-0000003"}},
      {"the beginning of a name (256)", {.name = "train-00010", .name_match = Match::kPrefix}},
      {"the beginning of a name (1 in 3)", {.name = "train", .name_match = Match::kPrefix}},
      {"a part of a name (some 100)", {.name = "0abc", .name_match = Match::kContains}},
      {"a day",
       {.started_after = Time(std::chrono::seconds(1'700'086'400)),
        .started_before = Time(std::chrono::seconds(1'700'172'800))}},
      {"finished before", {.finished_before = Time(std::chrono::seconds(1'700'000'000 + workflows - 1000))}},
      {"all, counted", {.counts_rest = true}},
      {"one label, counted", {.labels = labels("app=app-7"), .counts_rest = true}},
  };
  for (auto [job, query] : jobs) {
    query.limit = 50;
    show(job, measure<ArchivePage>(store, [&](auto done) { store->list_archive(query, std::move(done)); }));
  }
}

void others(TestStore& store) {
  show("a workflow by its UID", measure<cluster::Object>(store, [&](auto done) {
         store->get_archived({.uid = "00000abc-0000-4000-8000-000000000abc"}, std::move(done));
       }));
  using Labels = std::vector<std::string>;
  show("label keys", measure<Labels>(store, [&](auto done) { store->archive_labels("", "", std::move(done)); }));
  show("a label's values",
       measure<Labels>(store, [&](auto done) { store->archive_labels("", "app", std::move(done)); }));
}

}  // namespace
}  // namespace tiphys::store

int main(int argc, char** argv) {
  using namespace tiphys::store;
  const long long workflows = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  const TempDir temp;
  const std::string path = (argc > 2 ? std::string(argv[2]) : temp.path()) + "/tiphys.db";
  const auto begin = Clock::now();
  fill(path, workflows);
  fmt::print("{} workflows, filled in {:.0f} s\n\n| list of 50 | whole | longest turn |\n|---|---|---|\n", workflows,
             milliseconds(Clock::now() - begin) / 1000);
  TestStore store({.path = path});
  lists(store, workflows);
  others(store);
}

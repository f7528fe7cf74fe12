#include "store/schema.h"

#include <fmt/format.h>

#include <array>

#include "base/check.h"

namespace tiphys::store {
namespace {

constexpr int kSchemaVersion = 7;

// `resource` is "plural" or "plural.group". `live`: to be read into memory at first use. `owner` is the uid of the
// first owner reference, `workflow` the label workflows.argoproj.io/workflow, `labels` metadata.labels once more, so
// that a scan need not parse bodies. Bodies have JSON null where a row of `parts` belongs (store/revision.h).
//
// nodes has a rowid because a row of a table without one gets a page of its own as soon as it passes 1,002 bytes, and
// nodes do.
constexpr const char* kTables = R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('version_limit', 1);
CREATE TABLE objects(
  id INTEGER PRIMARY KEY,
  resource TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  uid TEXT NOT NULL,
  resource_version INTEGER NOT NULL,
  live INTEGER NOT NULL,
  owner TEXT,
  workflow TEXT,
  labels TEXT,
  body TEXT NOT NULL,
  UNIQUE(resource, namespace, name)
);
CREATE INDEX objects_live ON objects(resource) WHERE live = 1;
CREATE INDEX objects_owner ON objects(owner) WHERE owner IS NOT NULL;
CREATE INDEX objects_workflow ON objects(workflow) WHERE workflow IS NOT NULL;
CREATE INDEX objects_expiring ON objects(resource, namespace, name) WHERE instr(labels, '"tiphys.io/expires"') > 0;
CREATE TABLE parts(uid TEXT, part INTEGER, body TEXT NOT NULL, PRIMARY KEY(uid, part)) WITHOUT ROWID;
CREATE TABLE nodes(
  workflow_uid TEXT NOT NULL,
  node_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  UNIQUE(workflow_uid, node_id)
);
CREATE TABLE journal(
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  workflow_uid TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX journal_workflow ON journal(workflow_uid);
CREATE TABLE garbage(uid TEXT PRIMARY KEY, namespace TEXT NOT NULL) WITHOUT ROWID;
)sql";

/// To find the newest workflow of a template or CronWorkflow without reading the others, and the oldest Events.
constexpr const char* kLaterIndexes = R"sql(
CREATE INDEX IF NOT EXISTS objects_events ON objects(resource_version) WHERE resource = 'events';
CREATE INDEX IF NOT EXISTS objects_of_template ON objects(namespace,
  labels ->> '$."workflows.argoproj.io/workflow-template"', labels ->> '$."workflows.argoproj.io/phase"')
  WHERE instr(labels, '"workflows.argoproj.io/workflow-template"') > 0;
CREATE INDEX IF NOT EXISTS objects_of_cluster_template ON objects(namespace,
  labels ->> '$."workflows.argoproj.io/cluster-workflow-template"', labels ->> '$."workflows.argoproj.io/phase"')
  WHERE instr(labels, '"workflows.argoproj.io/cluster-workflow-template"') > 0;
CREATE INDEX IF NOT EXISTS objects_of_cron ON objects(namespace,
  labels ->> '$."workflows.argoproj.io/cron-workflow"', labels ->> '$."workflows.argoproj.io/phase"')
  WHERE instr(labels, '"workflows.argoproj.io/cron-workflow"') > 0;
)sql";

/// What has ended, for scans to find among what is live. Of Events there is nothing else.
constexpr const char* kEndedIndex =
    "CREATE INDEX IF NOT EXISTS objects_ended ON objects(resource, namespace, name) WHERE live = 0 AND resource <> "
    "'events'";

/// What has ended, to be searched (archive_writer.h). Times are seconds since 1970; `kept`: the archive keeps it when
/// its object goes. Each index ends with what lists are ordered by, so that a page is read off it; lists over several
/// namespaces, values or both kinds of `kept` merge as many stretches of it (archive_scan.h). `archive_bodies` has what
/// has no object any more, with its nodes and parts where they were.
constexpr const char* kArchiveTables = R"sql(
CREATE TABLE IF NOT EXISTS archive(
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL UNIQUE,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  phase TEXT NOT NULL,
  created INTEGER NOT NULL,
  started INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  kept INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS archive_started ON archive(namespace, kept, started, id);
CREATE INDEX IF NOT EXISTS archive_name ON archive(namespace, name, started, id);
CREATE TABLE IF NOT EXISTS archive_labels(
  key TEXT,
  value TEXT,
  namespace TEXT,
  started INTEGER,
  id INTEGER,
  PRIMARY KEY(key, value, namespace, started, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS archive_labels_of ON archive_labels(id);
CREATE TABLE IF NOT EXISTS archive_bodies(id INTEGER PRIMARY KEY, finished INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS archive_bodies_finished ON archive_bodies(finished);
)sql";

/// Of a database that was written before there was an archive. What is damaged is passed over, so that it hurts nobody
/// who does not ask for it.
constexpr const char* kArchiveEnded = R"sql(
INSERT OR IGNORE INTO archive(uid, namespace, name, phase, created, started, finished, kept)
  SELECT uid, namespace, name, coalesce(body ->> '$.status.phase', ''),
    coalesce(unixepoch(body ->> '$.metadata.creationTimestamp'), 0),
    coalesce(unixepoch(body ->> '$.status.startedAt'), unixepoch(body ->> '$.metadata.creationTimestamp'), 0),
    coalesce(unixepoch(body ->> '$.status.finishedAt'), 0),
    coalesce(body ->> '$.metadata.labels."workflows.argoproj.io/workflow-archiving-status"' = 'Archived', 0)
  FROM objects WHERE live = 0 AND resource = 'workflows.argoproj.io' AND json_valid(body) ORDER BY body ->> '$.status.finishedAt';
INSERT OR IGNORE INTO archive_labels
  SELECT label.key, label.value, archive.namespace, archive.started, archive.id
  FROM archive JOIN objects ON objects.resource = 'workflows.argoproj.io' AND objects.namespace = archive.namespace
    AND objects.name = archive.name AND json_valid(objects.labels) JOIN json_each(objects.labels) AS label;
)sql";

/// Pods with finalizers are live since version 7 (cluster::pod_over).
constexpr const char* kPodsWithFinalizers =
    "UPDATE objects SET live = 1 WHERE resource = 'pods' AND live = 0 AND json_valid(body) AND "
    "json_array_length(body, '$.metadata.finalizers') > 0";

struct Migration {
  int from;
  const char* sql;
  const char* then = "";
};
constexpr std::array<Migration, 5> kMigrations{{
    {1,
     "CREATE INDEX objects_expiring ON objects(resource, namespace, name) "
     "WHERE instr(labels, '\"tiphys.io/expires\"') > 0"},
    {2, kLaterIndexes},
    {4, kEndedIndex},
    {5, kArchiveTables, kArchiveEnded},
    {6, kPodsWithFinalizers},
}};

Status insert_default_namespace(Database& database, Random& random, Time now) {
  const std::string uid = make_uid(random);
  const std::string body = fmt::format(
      R"({{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"default","uid":"{}","resourceVersion":"1",)"
      R"("creationTimestamp":"{}","labels":{{"kubernetes.io/metadata.name":"default"}}}},)"
      R"("spec":{{"finalizers":["kubernetes"]}},"status":{{"phase":"Active"}}}})",
      uid, format_rfc3339(now));
  return database
      .query(
          "INSERT INTO objects(resource, namespace, name, uid, resource_version, live, labels, body) "
          "VALUES('namespaces', '', 'default', ?, 1, 1, '{\"kubernetes.io/metadata.name\":\"default\"}', ?)")
      .bind(uid)
      .bind(body)
      .run();
}

Status in_transaction(Database& database, auto&& work) {
  TIPHYS_CHECK_OK(database.execute("BEGIN IMMEDIATE"));
  Status done = work();
  if (done) done = database.execute("COMMIT");
  if (!done && database.in_transaction()) TIPHYS_CHECK_OK(database.execute("ROLLBACK"));
  return done;
}

Status set_version(Database& database, int version) {
  return database.execute(fmt::format("PRAGMA user_version = {}", version).c_str());
}

/// Version 4 seals what the versions before it stored in clear text, and leaves nothing of that in the file. Done twice
/// it is as done once.
Status seal_secrets(Database& database, Vault& vault) {
  if (!vault.covers(cluster::kSecrets)) return {};
  TIPHYS_CHECK_OK(database.execute("PRAGMA secure_delete = ON"));
  const Status done = in_transaction(database, [&]() -> Status {
    std::vector<std::pair<std::int64_t, std::string>> sealed;
    {
      Query rows = database.query("SELECT id, uid, body FROM objects WHERE resource = 'secrets'");
      while (true) {
        TIPHYS_TRY(const bool more, rows.next());
        if (!more) break;
        if (Vault::is_sealed(rows.text(2))) continue;
        TIPHYS_TRY(std::string body, vault.seal(rows.text(2), rows.text(1)));
        sealed.emplace_back(rows.integer(0), std::move(body));
      }
    }
    for (const auto& [id, body] : sealed) {
      TIPHYS_CHECK_OK(database.query("UPDATE objects SET body = ? WHERE id = ?").bind(body).bind(id).run());
    }
    return {};
  });
  TIPHYS_CHECK_OK(database.execute("PRAGMA secure_delete = FAST"));
  return done;
}

}  // namespace

Status prepare_schema(Database& database, Vault& vault, Random& random, Time now) {
  TIPHYS_TRY(const std::int64_t found, database.value("PRAGMA user_version"));
  if (found == kSchemaVersion) return {};
  if (found > kSchemaVersion) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("the store was written by a newer tiphys (tables of version {}, this one knows {}); use that "
                    "version or another data directory",
                    found, kSchemaVersion));
  }
  if (found == 0) {
    return in_transaction(database, [&]() -> Status {
      TIPHYS_CHECK_OK(database.execute(kTables));
      TIPHYS_CHECK_OK(database.execute(kLaterIndexes));
      TIPHYS_CHECK_OK(database.execute(kEndedIndex));
      TIPHYS_CHECK_OK(database.execute(kArchiveTables));
      TIPHYS_CHECK_OK(insert_default_namespace(database, random, now));
      return set_version(database, kSchemaVersion);
    });
  }
  if (found < 4) TIPHYS_CHECK_OK(seal_secrets(database, vault));
  for (const Migration& step : kMigrations) {
    if (step.from < found) continue;
    const Status done = in_transaction(database, [&]() -> Status {
      TIPHYS_CHECK_OK(database.execute(step.sql));
      TIPHYS_CHECK_OK(database.execute(step.then));
      return set_version(database, step.from + 1);
    });
    if (!done) return done;
  }
  return {};
}

}  // namespace tiphys::store

#include "persist/schema.h"

#include <fmt/format.h>

#include <charconv>

namespace tiphys::persist {
namespace {

/// The last one before later_changes().
constexpr int kOldestVersion = 59;

Result<std::optional<int>> number(Connection& connection, const Statement& statement) {
  TIPHYS_TRY(const SqlResult found, connection.run(statement));
  if (found.rows.empty() || !found.rows[0][0]) return std::nullopt;
  const std::string& text = *found.rows[0][0];
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The version that the tables have; nothing: there are none.
Result<std::optional<int>> version_of(Connection& connection, Dialect dialect) {
  Sql there(dialect);
  there.add("SELECT count(*) FROM information_schema.tables WHERE table_name = ? AND table_schema = ",
            {"schema_history"});
  there.add(dialect == Dialect::kPostgreSql ? "current_schema()" : "DATABASE()");
  TIPHYS_TRY(const auto tables, number(connection, there.take()));
  if (tables.value_or(0) == 0) return std::nullopt;
  TIPHYS_TRY(const auto version, number(connection, {"SELECT max(schema_version) FROM schema_history"}));
  // The original begins with -1.
  return version && *version >= 0 ? version : std::nullopt;
}

/// In one transaction, as far as the server has any for this. Whoever comes second waits for the first, and finds
/// nothing to do.
Status run_change(Connection& connection, Dialect dialect, const SchemaChange& change) {
  TIPHYS_CHECK_OK(execute(connection, {"BEGIN"}));
  const Status done = [&]() -> Status {
    TIPHYS_TRY(const SqlResult moved,
               connection.run(Sql(dialect)
                                  .add("UPDATE schema_history SET schema_version = ? WHERE schema_version = ?",
                                       {std::int64_t{change.version}, std::int64_t{change.version - 1}})
                                  .take()));
    if (moved.affected == 1) {
      for (const Statement& statement : change.statements) TIPHYS_CHECK_OK(execute(connection, statement));
    }
    return execute(connection, {"COMMIT"});
  }();
  if (!done) TIPHYS_CHECK_OK(execute(connection, {"ROLLBACK"}));
  return done;
}

}  // namespace

std::vector<Statement> create_statements(Dialect dialect, const std::string& nodes_table) {
  const bool postgres = dialect == Dialect::kPostgreSql;
  const char* now = postgres ? "timestamp" : "timestamp NOT NULL";
  return {
      {"CREATE TABLE IF NOT EXISTS schema_history(schema_version int NOT NULL, PRIMARY KEY(schema_version))"},
      {fmt::format("CREATE TABLE {}(uid varchar(128) NOT NULL, namespace varchar(256) NOT NULL, "
                   "creationtimestamp timestamp{} DEFAULT CURRENT_TIMESTAMP, clustername varchar(64) NOT NULL, "
                   "version varchar(64) NOT NULL, nodes json NOT NULL, "
                   "updatedat timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY(clustername, uid, version))",
                   nodes_table, postgres ? "" : " NULL")},
      {fmt::format("CREATE INDEX {0}_i1 ON {0}(clustername, namespace, updatedat)", nodes_table)},
      {fmt::format("CREATE TABLE argo_archived_workflows(uid varchar(128) NOT NULL, name varchar(256) NOT NULL, "
                   "phase varchar(25) NOT NULL, namespace varchar(256) NOT NULL, workflow {} NOT NULL, "
                   "startedat timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, "
                   "finishedat timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, clustername varchar(64) NOT NULL, "
                   "instanceid varchar(64) NOT NULL, creationtimestamp {} DEFAULT CURRENT_TIMESTAMP, "
                   "PRIMARY KEY(clustername, uid))",
                   postgres ? "jsonb" : "json", now)},
      {"CREATE INDEX argo_archived_workflows_i1 ON argo_archived_workflows(clustername, instanceid, namespace, "
       "startedat DESC)"},
      {"CREATE INDEX argo_archived_workflows_i2 ON argo_archived_workflows(clustername, instanceid, finishedat)"},
      {"CREATE INDEX argo_archived_workflows_i3 ON argo_archived_workflows(clustername, instanceid, name)"},
      {"CREATE INDEX argo_archived_workflows_i4 ON argo_archived_workflows(clustername, startedat)"},
      {"CREATE INDEX argo_archived_workflows_i5 ON argo_archived_workflows(creationtimestamp)"},
      {"CREATE TABLE argo_archived_workflows_labels(clustername varchar(64) NOT NULL, uid varchar(128) NOT NULL, "
       "name varchar(317) NOT NULL, value varchar(63) NOT NULL, PRIMARY KEY(clustername, uid, name), "
       "FOREIGN KEY(clustername, uid) REFERENCES argo_archived_workflows(clustername, uid) ON DELETE CASCADE)"},
      {"CREATE INDEX argo_archived_workflows_labels_i1 ON argo_archived_workflows_labels(name, value)"},
      {"DELETE FROM schema_history"},
      Sql(dialect).add("INSERT INTO schema_history VALUES(?)", {std::int64_t{kSchemaVersion}}).take(),
  };
}

std::vector<SchemaChange> later_changes(Dialect dialect) {
  const bool postgres = dialect == Dialect::kPostgreSql;
  const auto drop = [&](const std::string& index) -> Statement {
    return {postgres ? "DROP INDEX " + index : fmt::format("DROP INDEX {} ON argo_archived_workflows", index)};
  };
  std::vector<Statement> to_jsonb;
  if (postgres) {
    to_jsonb = {
        {"ALTER TABLE argo_archived_workflows ALTER COLUMN workflow SET DATA TYPE jsonb USING workflow::jsonb"}};
  }
  return {
      {60, to_jsonb},
      {61, {drop("argo_archived_workflows_i4")}},
      {62, {{"CREATE INDEX argo_archived_workflows_i4 ON argo_archived_workflows(clustername, startedat)"}}},
      {63, {{"ALTER TABLE argo_archived_workflows ADD COLUMN creationtimestamp timestamp NULL"}}},
      {64, {{"UPDATE argo_archived_workflows SET creationtimestamp = startedat WHERE creationtimestamp IS NULL"}}},
      {65,
       {{postgres ? "ALTER TABLE argo_archived_workflows ALTER COLUMN creationtimestamp SET DEFAULT CURRENT_TIMESTAMP"
                  : "ALTER TABLE argo_archived_workflows MODIFY COLUMN creationtimestamp timestamp NOT NULL DEFAULT "
                    "CURRENT_TIMESTAMP"}}},
      {66, {{"CREATE INDEX argo_archived_workflows_i5 ON argo_archived_workflows(creationtimestamp)"}}},
      {67, {drop("argo_archived_workflows_i1")}},
      {68,
       {{"CREATE INDEX argo_archived_workflows_i1 ON argo_archived_workflows(clustername, instanceid, namespace, "
         "startedat DESC)"}}},
  };
}

Status migrate(Connection& connection, Dialect dialect, const std::string& nodes_table) {
  TIPHYS_TRY(const auto version, version_of(connection, dialect));
  if (!version) return run_transaction(connection, create_statements(dialect, nodes_table));
  if (*version < kOldestVersion) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("the archive's tables are of version {} (schema_history), and this program knows those from "
                    "{} on: let the controller of Argo Workflows 3.4 or later migrate them first",
                    *version, kOldestVersion));
  }
  for (const SchemaChange& change : later_changes(dialect)) {
    if (change.version > *version) TIPHYS_CHECK_OK(run_change(connection, dialect, change));
  }
  return {};
}

}  // namespace tiphys::persist

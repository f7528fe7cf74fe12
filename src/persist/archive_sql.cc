#include "persist/archive_sql.h"

#include "persist/label_sql.h"

namespace tiphys::persist {
namespace {

using NameMatch = store::ArchiveQuery::NameMatch;

std::int64_t count_of(std::size_t most) {
  return static_cast<std::int64_t>(most);
}

/// With what LIKE takes for more than itself marked by '!'.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') out += '!';
    out += c;
  }
  return out;
}

void add_like(Sql& sql, std::string pattern) {
  sql.add(" AND w.name LIKE ? ESCAPE '!'", {std::move(pattern)});
}

void add_name(Sql& sql, const store::ArchiveQuery& query) {
  if (!query.name_prefix.empty()) add_like(sql, escaped(query.name_prefix) + "%");
  if (query.name.empty()) return;
  switch (query.name_match) {
    case NameMatch::kExact:
      sql.add(" AND w.name = ?", {query.name});
      break;
    case NameMatch::kPrefix:
      add_like(sql, escaped(query.name) + "%");
      break;
    case NameMatch::kContains:
      add_like(sql, "%" + escaped(query.name) + "%");
      break;
    case NameMatch::kNotEquals:
      sql.add(" AND w.name <> ?", {query.name});
      break;
  }
}

void add_bound(Sql& sql, std::string_view condition, Time bound) {
  if (bound != Time{}) sql.add(condition, {sql_time(bound)});
}

/// A time as text that is the same time again as a parameter.
std::string_view started_text(Dialect dialect) {
  return dialect == Dialect::kPostgreSql ? "to_char(w.startedat, 'YYYY-MM-DD HH24:MI:SS.US')"
                                         : "DATE_FORMAT(w.startedat, '%Y-%m-%d %H:%i:%s.%f')";
}

std::string_view without_nodes(Dialect dialect) {
  return dialect == Dialect::kPostgreSql ? "w.workflow #- '{status,nodes}'"
                                         : "JSON_REMOVE(w.workflow, '$.status.nodes')";
}

constexpr std::string_view kFrom = " FROM argo_archived_workflows w";

}  // namespace

std::string sql_time(Time time) {
  std::string text = format_rfc3339(time);
  if (text.empty()) return text;
  text[text.find('T')] = ' ';
  text.pop_back();
  return text;
}

std::int64_t seconds_of(const RowKey& key) {
  std::string text = key.started + "Z";
  if (const auto space = text.find(' '); space != text.npos) text[space] = 'T';
  const auto time = parse_rfc3339(text);
  return time ? std::chrono::floor<std::chrono::seconds>(time->time_since_epoch()).count() : 0;
}

void ArchiveSql::add_scope(Sql& sql) const {
  sql.add(" WHERE w.clustername = ? AND w.instanceid = ?", {cluster_, instance_});
}

void ArchiveSql::add_conditions(Sql& sql, const store::ArchiveQuery& query, const RowKey& after) const {
  if (!query.ns.empty()) sql.add(" AND w.namespace = ?", {query.ns});
  if (!query.other_than_ns.empty()) sql.add(" AND w.namespace <> ?", {query.other_than_ns});
  add_name(sql, query);
  add_bound(sql, " AND w.startedat > ?", query.started_after);
  add_bound(sql, " AND w.startedat < ?", query.started_before);
  add_bound(sql, " AND w.creationtimestamp > ?", query.created_after);
  add_bound(sql, " AND w.finishedat < ?", query.finished_before);
  for (const cluster::Requirement& each : query.labels.requirements()) add_label_condition(sql, each);
  if (after.uid.empty()) return;
  // The first condition is one that an index is for.
  sql.add(" AND w.startedat <= ? AND (w.startedat < ? OR w.uid < ?)", {after.started, after.started, after.uid});
}

std::vector<Statement> ArchiveSql::write(const RowFacts& facts, std::string workflow) const {
  std::vector<Statement> statements;
  statements.push_back(
      Sql(dialect_)
          .add("DELETE FROM argo_archived_workflows WHERE clustername = ? AND instanceid = ? AND uid = ?",
               {cluster_, instance_, facts.uid})
          .take());
  statements.push_back(
      Sql(dialect_)
          .add("INSERT INTO argo_archived_workflows (clustername, instanceid, uid, name, namespace, phase, startedat, "
               "finishedat, creationtimestamp, workflow) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               {cluster_, instance_, facts.uid, facts.name, facts.ns, facts.phase, sql_time(facts.started),
                sql_time(facts.finished), sql_time(facts.created), std::move(workflow)})
          .take());
  statements.push_back(
      Sql(dialect_)
          .add("DELETE FROM argo_archived_workflows_labels WHERE clustername = ? AND uid = ?", {cluster_, facts.uid})
          .take());
  if (facts.labels.empty()) return statements;
  Sql labels(dialect_);
  labels.add("INSERT INTO argo_archived_workflows_labels (clustername, uid, name, value) VALUES ");
  const char* before = "";
  for (const auto& [name, value] : facts.labels) {
    labels.add(before).add_list({cluster_, facts.uid, name, value});
    before = ", ";
  }
  statements.push_back(labels.take());
  return statements;
}

Statement ArchiveSql::keys(const store::ArchiveQuery& query, const RowKey& after, std::size_t most) const {
  Sql sql(dialect_);
  sql.add("SELECT ").add(started_text(dialect_)).add(", w.uid").add(kFrom);
  add_scope(sql);
  add_conditions(sql, query, after);
  return sql.add(" ORDER BY w.startedat DESC, w.uid DESC LIMIT ?", {count_of(most)}).take();
}

Statement ArchiveSql::count(const store::ArchiveQuery& query, const RowKey& after) const {
  Sql sql(dialect_);
  sql.add("SELECT count(*)").add(kFrom);
  add_scope(sql);
  add_conditions(sql, query, after);
  return sql.take();
}

Statement ArchiveSql::workflows(const std::vector<std::string>& uids, bool with_nodes) const {
  Sql sql(dialect_);
  sql.add("SELECT w.uid, ").add(with_nodes ? "w.workflow" : without_nodes(dialect_)).add(kFrom);
  add_scope(sql);
  return sql.add(" AND w.uid IN ").add_list(uids).take();
}

Statement ArchiveSql::workflow(const store::ArchivedName& which) const {
  Sql sql(dialect_);
  sql.add("SELECT w.workflow").add(kFrom);
  add_scope(sql);
  if (!which.uid.empty()) return sql.add(" AND w.uid = ?", {which.uid}).take();
  sql.add(" AND w.namespace = ? AND w.name = ?", {which.ns, which.name});
  return sql.add(" ORDER BY w.startedat DESC, w.uid DESC LIMIT 1").take();
}

Statement ArchiveSql::remove(std::string uid) const {
  return Sql(dialect_)
      .add("DELETE FROM argo_archived_workflows WHERE clustername = ? AND instanceid = ? AND uid = ?",
           {cluster_, instance_, std::move(uid)})
      .take();
}

Statement ArchiveSql::remove_older(Time finished_before, std::size_t most) const {
  Sql sql(dialect_);
  // MySQL takes a limit in no subquery but one that is a table.
  sql.add("DELETE FROM argo_archived_workflows WHERE clustername = ? AND uid IN (SELECT uid FROM (SELECT w.uid",
          {cluster_});
  sql.add(kFrom);
  add_scope(sql);
  return sql.add(" AND w.finishedat < ? LIMIT ?) AS expired)", {sql_time(finished_before), count_of(most)}).take();
}

Statement ArchiveSql::labels(const std::string& ns, const std::string& key, std::size_t most,
                             std::size_t most_rows) const {
  if (ns.empty()) return distinct_labels(dialect_, key, most);
  Sql sql(dialect_);
  sql.add("SELECT DISTINCT ").add(key.empty() ? "l.name" : "l.value");
  sql.add(" FROM argo_archived_workflows_labels l JOIN (SELECT w.clustername, w.uid").add(kFrom);
  add_scope(sql);
  sql.add(" AND w.namespace = ? ORDER BY w.startedat DESC LIMIT ?) AS newest", {ns, count_of(most_rows)});
  sql.add(" ON newest.clustername = l.clustername AND newest.uid = l.uid");
  if (!key.empty()) sql.add(" WHERE l.name = ?", {key});
  return sql.add(" ORDER BY 1 LIMIT ?", {count_of(most)}).take();
}

}  // namespace tiphys::persist

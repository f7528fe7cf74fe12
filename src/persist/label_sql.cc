#include "persist/label_sql.h"

#include <charconv>

namespace tiphys::persist {
namespace {

using Op = cluster::Requirement::Op;

bool is_negative(Op op) {
  return op == Op::kNotEquals || op == Op::kNotIn || op == Op::kNotExists;
}

/// A value that is no number is neither greater nor less. '?' would be a parameter.
void add_comparison(Sql& sql, const cluster::Requirement& requirement) {
  std::int64_t bound = 0;
  if (!requirement.values.empty()) {
    const std::string& text = requirement.values.front();
    std::from_chars(text.data(), text.data() + text.size(), bound);
  }
  const bool postgres = sql.dialect() == Dialect::kPostgreSql;
  sql.add(postgres ? " AND CASE WHEN l.value ~ '^[+-]{0,1}[0-9]{1,18}$' THEN CAST(l.value AS bigint) "
                   : " AND l.value REGEXP '^[+-]{0,1}[0-9]{1,18}$' AND CAST(l.value AS SIGNED) ");
  sql.add(requirement.op == Op::kGreater ? "> ?" : "< ?", {bound});
  if (postgres) sql.add(" ELSE false END");
}

}  // namespace

void add_label_condition(Sql& sql, const cluster::Requirement& requirement) {
  sql.add(is_negative(requirement.op) ? " AND NOT EXISTS (" : " AND EXISTS (");
  sql.add("SELECT 1 FROM argo_archived_workflows_labels l WHERE l.clustername = w.clustername AND l.uid = w.uid");
  sql.add(" AND l.name = ?", {requirement.key});
  switch (requirement.op) {
    case Op::kExists:
    case Op::kNotExists:
      break;
    case Op::kEquals:
    case Op::kNotEquals:
    case Op::kIn:
    case Op::kNotIn:
      // MySQL's order of texts knows no capitals; what finds the row by its key is the name.
      sql.add(sql.dialect() == Dialect::kPostgreSql ? " AND l.value IN " : " AND CAST(l.value AS BINARY) IN ");
      sql.add_list(requirement.values);
      break;
    case Op::kGreater:
    case Op::kLess:
      add_comparison(sql, requirement);
      break;
  }
  sql.add(")");
}

Statement distinct_labels(Dialect dialect, const std::string& key, std::size_t most) {
  const auto limit = static_cast<std::int64_t>(most);
  const std::string_view column = key.empty() ? "name" : "value";
  Sql sql(dialect);
  const auto of_key = [&](const char* keyword) {
    if (!key.empty()) sql.add(keyword).add(" name = ?", {key});
  };
  if (dialect == Dialect::kMySql) {
    // Which goes from one to the next by the index.
    sql.add("SELECT DISTINCT ").add(column).add(" FROM argo_archived_workflows_labels");
    of_key(" WHERE");
    return sql.add(" ORDER BY 1 LIMIT ?", {limit}).take();
  }
  // PostgreSQL has to be led.
  sql.add("WITH RECURSIVE found(label) AS (SELECT min(").add(column).add(") FROM argo_archived_workflows_labels");
  of_key(" WHERE");
  sql.add(" UNION ALL SELECT (SELECT min(").add(column).add(") FROM argo_archived_workflows_labels WHERE ").add(column);
  sql.add(" > label");
  of_key(" AND");
  sql.add(") FROM found WHERE label IS NOT NULL) SELECT label FROM found WHERE label IS NOT NULL LIMIT ?", {limit});
  return sql.take();
}

}  // namespace tiphys::persist

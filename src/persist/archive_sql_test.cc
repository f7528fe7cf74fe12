#include "persist/archive_sql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::persist {
namespace {

using NameMatch = store::ArchiveQuery::NameMatch;
using testing::HasSubstr;

Time at(std::string_view text) {
  return *parse_rfc3339(text);
}

cluster::Selector labels(std::string_view text) {
  return *cluster::Selector::parse(text);
}

/// The values of a statement, one after the other.
std::string values_of(const Statement& statement) {
  std::vector<std::string> texts;
  for (const SqlValue& value : statement.values) {
    const auto* text = std::get_if<std::string>(&value);
    texts.push_back(text ? *text : fmt::format("#{}", std::get<std::int64_t>(value)));
  }
  return fmt::format("{}", fmt::join(texts, ","));
}

/// What a statement says beyond the scope that all have.
std::string conditions_of(const Statement& statement) {
  const std::string scope = "w.clustername = ? AND w.instanceid = ?";
  const auto begin = statement.text.find(scope);
  if (begin == std::string::npos) return statement.text;
  const auto end = statement.text.find(" ORDER BY");
  return statement.text.substr(begin + scope.size(), end - begin - scope.size());
}

const ArchiveSql kMySql(Dialect::kMySql, "west", "blue");
const ArchiveSql kPostgres(Dialect::kPostgreSql, "west", "blue");

TEST(ArchiveSql, AsksWhatTheQueryAsks) {
  const std::string label =
      "EXISTS (SELECT 1 FROM argo_archived_workflows_labels l WHERE l.clustername = w.clustername AND l.uid = w.uid "
      "AND l.name = ?";
  struct Row {
    std::string rule;
    store::ArchiveQuery query;
    std::string conditions, values;
  };
  const std::vector<Row> rows{
      {"all", {}, "", ""},
      {"of a namespace", {.ns = "a"}, " AND w.namespace = ?", "a"},
      {"of the others", {.other_than_ns = "a"}, " AND w.namespace <> ?", "a"},
      {"a name", {.name = "x"}, " AND w.name = ?", "x"},
      {"its beginning",
       {.name = "x_%!", .name_match = NameMatch::kPrefix},
       " AND w.name LIKE ? ESCAPE '!'",
       "x!_!%!!%"},
      {"a part of it", {.name = "x", .name_match = NameMatch::kContains}, " AND w.name LIKE ? ESCAPE '!'", "%x%"},
      {"another one", {.name = "x", .name_match = NameMatch::kNotEquals}, " AND w.name <> ?", "x"},
      {"its beginning besides",
       {.name = "x", .name_prefix = "y"},
       " AND w.name LIKE ? ESCAPE '!' AND w.name = ?",
       "y%,x"},
      {"times",
       {.started_after = at("2026-01-01T00:00:00Z"),
        .started_before = at("2026-01-02T00:00:00Z"),
        .created_after = at("2026-01-03T00:00:00Z"),
        .finished_before = at("2026-01-04T01:02:03Z")},
       " AND w.startedat > ? AND w.startedat < ? AND w.creationtimestamp > ? AND w.finishedat < ?",
       "2026-01-01 00:00:00,2026-01-02 00:00:00,2026-01-03 00:00:00,2026-01-04 01:02:03"},
      {"a label", {.labels = labels("a=b")}, " AND " + label + " AND CAST(l.value AS BINARY) IN (?))", "a,b"},
      {"not this label",
       {.labels = labels("a!=b")},
       " AND NOT " + label + " AND CAST(l.value AS BINARY) IN (?))",
       "a,b"},
      {"one of some",
       {.labels = labels("a in (b,c)")},
       " AND " + label + " AND CAST(l.value AS BINARY) IN (?, ?))",
       "a,b,c"},
      {"none of some",
       {.labels = labels("a notin (b,c)")},
       " AND NOT " + label + " AND CAST(l.value AS BINARY) IN (?, ?))",
       "a,b,c"},
      {"any value", {.labels = labels("a")}, " AND " + label + ")", "a"},
      {"no value", {.labels = labels("!a")}, " AND NOT " + label + ")", "a"},
      {"two labels", {.labels = labels("a,!b")}, " AND " + label + ") AND NOT " + label + ")", "a,b"},
      {"a value that is code",
       {.ns = "' OR 1=1 --", .labels = labels("a")},
       " AND w.namespace = ? AND " + label + ")",
       "' OR 1=1 --,a"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.rule);
    const Statement mysql = kMySql.keys(row.query, {}, 10);
    EXPECT_EQ(conditions_of(mysql), row.conditions);
    EXPECT_EQ(values_of(mysql), "west,blue," + row.values + (row.values.empty() ? "" : ",") + "#10");
    // The same with PostgreSQL's parameters.
    std::string numbered = mysql.text;
    for (std::size_t n = 1, found = 0; (found = numbered.find('?', found)) != std::string::npos; ++n) {
      numbered.replace(found, 1, fmt::format("${}", n));
    }
    constexpr std::string_view kExactly = "CAST(l.value AS BINARY)";
    for (std::size_t found = 0; (found = numbered.find(kExactly)) != std::string::npos;) {
      numbered.replace(found, kExactly.size(), "l.value");
    }
    const Statement postgres = kPostgres.keys(row.query, {}, 10);
    EXPECT_EQ(postgres.text.substr(postgres.text.find(" FROM")), numbered.substr(numbered.find(" FROM")));
    EXPECT_EQ(postgres.values, mysql.values);
    EXPECT_EQ(conditions_of(kMySql.count(row.query, {})), row.conditions);
  }
}

TEST(ArchiveSql, ComparesLabelsThatAreNumbers) {
  EXPECT_THAT(kMySql.keys({.labels = labels("a>3")}, {}, 10).text,
              HasSubstr("AND l.value REGEXP '^[+-]{0,1}[0-9]{1,18}$' AND CAST(l.value AS SIGNED) > ?)"));
  const Statement postgres = kPostgres.keys({.labels = labels("a<3")}, {}, 10);
  EXPECT_THAT(postgres.text, HasSubstr("AND CASE WHEN l.value ~ '^[+-]{0,1}[0-9]{1,18}$' THEN CAST(l.value AS bigint) "
                                       "< $4 ELSE false END)"));
  EXPECT_EQ(values_of(postgres), "west,blue,a,#3,#10");
}

TEST(ArchiveSql, GoesOnBehindARow) {
  const Statement keys = kPostgres.keys({}, {.started = "2026-01-01 00:00:00.500000", .uid = "u"}, 5);
  EXPECT_EQ(keys.text,
            "SELECT to_char(w.startedat, 'YYYY-MM-DD HH24:MI:SS.US'), w.uid FROM argo_archived_workflows w WHERE "
            "w.clustername = $1 AND w.instanceid = $2 AND w.startedat <= $3 AND (w.startedat < $4 OR w.uid < $5) ORDER "
            "BY w.startedat DESC, w.uid DESC LIMIT $6");
  EXPECT_EQ(values_of(keys), "west,blue,2026-01-01 00:00:00.500000,2026-01-01 00:00:00.500000,u,#5");
  EXPECT_EQ(seconds_of(RowKey{.started = "2026-01-01 00:00:01.500000"}),
            std::chrono::duration_cast<std::chrono::seconds>(at("2026-01-01T00:00:01Z").time_since_epoch()).count());
}

TEST(ArchiveSql, ReadsWorkflows) {
  const Statement some = kMySql.workflows({"a", "b"}, false);
  EXPECT_EQ(some.text,
            "SELECT w.uid, JSON_REMOVE(w.workflow, '$.status.nodes') FROM argo_archived_workflows w WHERE "
            "w.clustername = ? AND w.instanceid = ? AND w.uid IN (?, ?)");
  EXPECT_EQ(values_of(some), "west,blue,a,b");
  EXPECT_THAT(kPostgres.workflows({"a"}, false).text, HasSubstr("w.workflow #- '{status,nodes}' FROM"));
  EXPECT_THAT(kPostgres.workflows({"a"}, true).text, HasSubstr("w.uid, w.workflow FROM"));
  EXPECT_EQ(values_of(kPostgres.workflow({.uid = "a"})), "west,blue,a");
  const Statement named = kPostgres.workflow({.ns = "n", .name = "x"});
  EXPECT_THAT(named.text,
              testing::EndsWith("w.namespace = $3 AND w.name = $4 ORDER BY w.startedat DESC, w.uid DESC LIMIT 1"));
  EXPECT_EQ(values_of(named), "west,blue,n,x");
}

TEST(ArchiveSql, WritesARowInPlaceOfAnother) {
  const RowFacts facts{.uid = "u",
                       .name = "n",
                       .ns = "s",
                       .phase = "Failed",
                       .started = at("2026-01-01T00:00:00Z"),
                       .finished = at("2026-01-02T00:00:00Z"),
                       .created = at("2026-01-03T00:00:00Z"),
                       .labels = {{"a", "b"}, {"c", ""}}};
  const auto statements = kPostgres.write(facts, "{}");
  ASSERT_EQ(statements.size(), 4U);
  EXPECT_EQ(values_of(statements[0]), "west,blue,u");
  EXPECT_EQ(values_of(statements[1]),
            "west,blue,u,n,s,Failed,2026-01-01 00:00:00,2026-01-02 00:00:00,2026-01-03 00:00:00,{}");
  EXPECT_EQ(values_of(statements[2]), "west,u");
  EXPECT_EQ(statements[3].text,
            "INSERT INTO argo_archived_workflows_labels (clustername, uid, name, value) VALUES ($1, $2, $3, $4), ($5, "
            "$6, $7, $8)");
  EXPECT_EQ(values_of(statements[3]), "west,u,a,b,west,u,c,");
  EXPECT_EQ(kPostgres.write({.uid = "u"}, "{}").size(), 3U) << "no labels";
}

TEST(ArchiveSql, DeletesWhatIsOld) {
  const Statement old = kMySql.remove_older(at("2026-01-01T00:00:00Z"), 100);
  EXPECT_EQ(old.text,
            "DELETE FROM argo_archived_workflows WHERE clustername = ? AND uid IN (SELECT uid FROM (SELECT w.uid FROM "
            "argo_archived_workflows w WHERE w.clustername = ? AND w.instanceid = ? AND w.finishedat < ? LIMIT ?) AS "
            "expired)");
  EXPECT_EQ(values_of(old), "west,west,blue,2026-01-01 00:00:00,#100");
}

TEST(ArchiveSql, ListsLabels) {
  EXPECT_EQ(kMySql.labels("", "", 10, 20).text,
            "SELECT DISTINCT name FROM argo_archived_workflows_labels ORDER BY 1 LIMIT ?");
  EXPECT_EQ(kMySql.labels("", "k", 10, 20).text,
            "SELECT DISTINCT value FROM argo_archived_workflows_labels WHERE name = ? ORDER BY 1 LIMIT ?");
  const Statement led = kPostgres.labels("", "k", 10, 20);
  EXPECT_EQ(
      led.text,
      "WITH RECURSIVE found(label) AS (SELECT min(value) FROM argo_archived_workflows_labels WHERE name = $1 UNION "
      "ALL SELECT (SELECT min(value) FROM argo_archived_workflows_labels WHERE value > label AND name = $2) FROM "
      "found WHERE label IS NOT NULL) SELECT label FROM found WHERE label IS NOT NULL LIMIT $3");
  EXPECT_EQ(values_of(led), "k,k,#10");
  EXPECT_EQ(values_of(kMySql.labels("n", "k", 10, 20)), "west,blue,n,#20,k,#10");
}

}  // namespace
}  // namespace tiphys::persist

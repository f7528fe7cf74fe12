#include "persist/archive_rows.h"

#include <fmt/format.h>

#include <charconv>

namespace tiphys::persist {
namespace {

constexpr const char* kMeta = "metadata";
constexpr std::string_view kNull = "\\u0000";
constexpr std::string_view kInPlaceOfNull = "ARGO_POSTGRES_NULL_REPLACEMENT";

std::string without_null(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] != '\\') {
      out += json[at++];
    } else if (json.substr(at).starts_with(kNull)) {
      out += kInPlaceOfNull;
      at += kNull.size();
    } else {
      // The character behind it is no beginning of another escape.
      out += json.substr(at, 2);
      at += 2;
    }
  }
  return out;
}

std::string with_null(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    const std::size_t found = std::min(json.find(kInPlaceOfNull, at), json.size());
    out += json.substr(at, found - at);
    if (found == json.size()) break;
    out += kNull;
    at = found + kInPlaceOfNull.size();
  }
  return out;
}

Time time_of(const doc::Value& workflow, std::string_view section, std::string_view field) {
  return parse_rfc3339(doc::find_string(workflow, section, field)).value_or(Time{});
}

Error malformed(const char* what) {
  return {Code::kDataLoss, fmt::format("the archive's database answers without {}", what)};
}

}  // namespace

RowFacts facts_of(const doc::Value& workflow) {
  RowFacts facts{.uid = std::string(doc::find_string(workflow, kMeta, "uid")),
                 .name = std::string(doc::find_string(workflow, kMeta, "name")),
                 .ns = std::string(doc::find_string(workflow, kMeta, "namespace")),
                 .phase = std::string(doc::find_string(workflow, "status", "phase")),
                 .started = time_of(workflow, "status", "startedAt"),
                 .finished = time_of(workflow, "status", "finishedAt"),
                 .created = time_of(workflow, kMeta, "creationTimestamp")};
  // What has not begun counts from its creation; the columns have no NULL.
  if (facts.started == Time{}) facts.started = facts.created;
  if (facts.finished == Time{}) facts.finished = facts.started;
  const doc::Value* labels = doc::find(workflow, kMeta, "labels");
  const doc::Object* members = labels ? labels->if_object() : nullptr;
  if (!members) return facts;
  for (const auto& [name, value] : *members) facts.labels.emplace_back(name, doc::scalar_text(value));
  return facts;
}

std::string workflow_column(const doc::Value& workflow, Dialect dialect) {
  const std::string json = doc::to_json(workflow);
  return dialect == Dialect::kPostgreSql ? without_null(json) : json;
}

Result<doc::Value> workflow_of(std::string_view column, Dialect dialect) {
  TIPHYS_TRY(doc::Value read,
             doc::parse_json(dialect == Dialect::kPostgreSql ? with_null(column) : std::string(column)));
  doc::Object* members = read.if_object();
  if (!members) return std::unexpected(malformed("a workflow"));
  // The original leaves them out where it knows the type.
  doc::Object workflow{{"apiVersion", cluster::kWorkflows.api_version()}, {"kind", "Workflow"}};
  for (auto& [name, member] : *members) {
    if (!workflow.contains(name)) workflow[name] = std::move(member);
  }
  doc::ensure_object(doc::ensure_object(workflow, kMeta), "labels")[store::kArchivingStatusLabel] =
      store::kPersistedStatus;
  return doc::Value(std::move(workflow));
}

Status write_row(Connection& connection, const ArchiveSql& sql, const doc::Value& workflow) {
  doc::Value persisted = workflow;
  doc::ensure_object(doc::ensure_object(persisted.as_object(), kMeta), "labels")[store::kArchivingStatusLabel] =
      store::kPersistedStatus;
  return run_transaction(connection, sql.write(facts_of(persisted), workflow_column(persisted, sql.dialect())));
}

Result<std::vector<RowKey>> read_keys(Connection& connection, const Statement& keys) {
  TIPHYS_TRY(SqlResult read, connection.run(keys));
  std::vector<RowKey> found;
  for (auto& row : read.rows) {
    if (row.size() != 2 || !row[0] || !row[1]) return std::unexpected(malformed("the keys of rows"));
    found.push_back({std::move(*row[0]), std::move(*row[1])});
  }
  return found;
}

Result<std::map<std::string, ReadWorkflow>> read_workflows(Connection& connection, const Statement& workflows,
                                                           Dialect dialect) {
  TIPHYS_TRY(const SqlResult read, connection.run(workflows));
  std::map<std::string, ReadWorkflow> found;
  for (const auto& row : read.rows) {
    if (row.size() != 2 || !row[0] || !row[1]) return std::unexpected(malformed("workflows"));
    auto workflow = workflow_of(*row[1], dialect);
    if (!workflow) return std::unexpected(workflow.error().in(fmt::format("the row of the UID {}", *row[0])));
    found[*row[0]] = {std::make_shared<const doc::Value>(std::move(*workflow)), row[1]->size()};
  }
  return found;
}

Result<cluster::Object> read_workflow(Connection& connection, const Statement& workflow, Dialect dialect) {
  TIPHYS_TRY(const SqlResult read, connection.run(workflow));
  if (read.rows.empty()) return nullptr;
  if (!read.rows[0][0]) return std::unexpected(malformed("a workflow"));
  TIPHYS_TRY(doc::Value found, workflow_of(*read.rows[0][0], dialect));
  return std::make_shared<const doc::Value>(std::move(found));
}

Result<std::size_t> read_count(Connection& connection, const Statement& count) {
  TIPHYS_TRY(const auto texts, read_texts(connection, count));
  std::size_t number = 0;
  if (!texts.empty()) std::from_chars(texts[0].data(), texts[0].data() + texts[0].size(), number);
  return number;
}

Result<std::vector<std::string>> read_texts(Connection& connection, const Statement& texts) {
  TIPHYS_TRY(SqlResult read, connection.run(texts));
  std::vector<std::string> found;
  for (auto& row : read.rows) {
    if (!row.empty() && row[0]) found.push_back(std::move(*row[0]));
  }
  return found;
}

}  // namespace tiphys::persist

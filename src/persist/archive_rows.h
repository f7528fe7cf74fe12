// Workflows as rows of the archive: what is read and written over a connection, which blocks.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster.h"
#include "persist/archive_sql.h"
#include "persist/connection.h"

namespace tiphys::persist {

/// In place of what there may be of the same uid. `workflow` comes with its nodes.
Status write_row(Connection& connection, const ArchiveSql& sql, const doc::Value& workflow);

Result<std::vector<RowKey>> read_keys(Connection& connection, const Statement& keys);
/// By uid; one that has gone is missing. Sizes are those of the texts.
struct ReadWorkflow {
  cluster::Object object;
  std::size_t bytes = 0;
};
Result<std::map<std::string, ReadWorkflow>> read_workflows(Connection& connection, const Statement& workflows,
                                                           Dialect dialect);
/// Null: there is none.
Result<cluster::Object> read_workflow(Connection& connection, const Statement& workflow, Dialect dialect);
Result<std::size_t> read_count(Connection& connection, const Statement& count);
Result<std::vector<std::string>> read_texts(Connection& connection, const Statement& texts);

// For tests.

RowFacts facts_of(const doc::Value& workflow);
/// The column `workflow`. PostgreSQL takes no "\u0000": the original puts a word there, and takes it out.
std::string workflow_column(const doc::Value& workflow, Dialect dialect);
Result<doc::Value> workflow_of(std::string_view column, Dialect dialect);

}  // namespace tiphys::persist

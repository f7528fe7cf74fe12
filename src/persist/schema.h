// The tables as the original's migrations leave them (persist/sqldb/migrate.go of Argo Workflows 4.1), so that either
// program may come first. `schema_history` has the number of the last migration.
#pragma once

#include <string>
#include <vector>

#include "persist/connection.h"

namespace tiphys::persist {

/// What 4.1 ends with.
inline constexpr int kSchemaVersion = 68;

/// Of an empty database, schema_history included. `nodes_table` is where the original puts states of nodes: it looks
/// for it, and nothing here uses it.
std::vector<Statement> create_statements(Dialect dialect, const std::string& nodes_table);

struct SchemaChange {
  int version;
  std::vector<Statement> statements;  ///< none: for the other dialect
};
/// From the last version that 3.4 to 3.6 ended with on, in order.
std::vector<SchemaChange> later_changes(Dialect dialect);

/// Makes the tables, or brings them from an earlier version up to date. Later versions are left alone.
/// kFailedPrecondition: they are older than what this program knows.
Status migrate(Connection& connection, Dialect dialect, const std::string& nodes_table);

}  // namespace tiphys::persist

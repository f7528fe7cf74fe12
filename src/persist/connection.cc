#include "persist/connection.h"

#include "persist/mysql.h"
#include "persist/postgres.h"

namespace tiphys::persist {

Result<std::unique_ptr<Connection>> connect(const api::PersistenceConfig& config, const Credentials& credentials) {
  using Kind = api::PersistenceConfig::Database::Kind;
  return config.database->kind == Kind::kMySql ? connect_mysql(config, credentials)
                                               : connect_postgres(config, credentials);
}

Status execute(Connection& connection, const Statement& statement) {
  const auto done = connection.run(statement);
  return done ? Status() : std::unexpected(done.error());
}

Status run_transaction(Connection& connection, const std::vector<Statement>& statements) {
  TIPHYS_CHECK_OK(execute(connection, {"BEGIN"}));
  for (const Statement& statement : statements) {
    Status done = execute(connection, statement);
    if (done) continue;
    // The statement's error tells more; a connection that cannot do even this is lost, and is not used again.
    if (const Status undone = execute(connection, {"ROLLBACK"}); !undone) done.error().code = undone.error().code;
    return done;
  }
  return execute(connection, {"COMMIT"});
}

}  // namespace tiphys::persist

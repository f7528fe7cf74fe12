// A connection to a database server, which blocks: for threads of ConnectionPool alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/persistence_config.h"
#include "base/error.h"
#include "persist/sql.h"

namespace tiphys::persist {

struct SqlResult {
  std::vector<std::vector<std::optional<std::string>>> rows;  ///< nothing: NULL
  std::uint64_t affected = 0;                                 ///< rows that a statement has changed
};

class Connection {
 public:
  virtual ~Connection() = default;

  /// kUnavailable: the connection is lost, or the server cannot serve at present; whether the statement was carried out
  /// is not known. kInternal: the server refuses the statement.
  virtual Result<SqlResult> run(const Statement& statement) = 0;
  /// To end what is under way from another thread, by shutting it down; -1: there is none.
  virtual int socket() const = 0;
};

/// Who connects. Never shown.
struct Credentials {
  std::string user, password;
  bool operator==(const Credentials&) const = default;
};

/// kUnavailable: nobody answers, or not to these credentials. kFailedPrecondition: the client's library is missing.
Result<std::unique_ptr<Connection>> connect(const api::PersistenceConfig& config, const Credentials& credentials);

/// A statement of which nothing comes.
Status execute(Connection& connection, const Statement& statement);
/// All statements, or none of them.
Status run_transaction(Connection& connection, const std::vector<Statement>& statements);

}  // namespace tiphys::persist

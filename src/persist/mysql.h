// Connections to MySQL and MariaDB, by libmariadb.
#pragma once

#include <string>
#include <vector>

#include "persist/connection.h"

namespace tiphys::persist {

/// What `options` of the configuration mean, which are those of Go's driver and variables of the session.
struct MySqlOptions {
  enum class Tls { kNever, kIfOffered, kUnverified, kVerified };
  Tls tls = Tls::kNever;
  unsigned read_timeout = 0, write_timeout = 0;  ///< seconds; 0: none
  std::vector<Statement> session;                ///< variables to set
};
/// kFailedPrecondition names an option that cannot be.
Result<MySqlOptions> mysql_options_of(const std::map<std::string, std::string>& options);

/// As connect().
Result<std::unique_ptr<Connection>> connect_mysql(const api::PersistenceConfig& config, const Credentials& credentials);

}  // namespace tiphys::persist

// Connections to PostgreSQL, by libpq.
#pragma once

#include <map>
#include <string>

#include "persist/connection.h"

namespace tiphys::persist {

/// What libpq is told, the password included. `ca_file`: what certificates are verified by; "": libpq's own choice.
std::map<std::string, std::string> postgres_parameters(const api::PersistenceConfig& config,
                                                       const Credentials& credentials, const std::string& ca_file);

/// As connect().
Result<std::unique_ptr<Connection>> connect_postgres(const api::PersistenceConfig& config,
                                                     const Credentials& credentials);

}  // namespace tiphys::persist

// What stays of finished workflows, and where, of the controller's configuration (config/config.go, PersistConfig).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "api/secret_key.h"
#include "base/time.h"
#include "doc/value.h"

namespace tiphys::api {

class FieldTable;
class Place;

struct PersistenceConfig {
  struct Database {
    enum class Kind { kPostgreSql, kMySql };
    Kind kind = Kind::kPostgreSql;
    std::string host;
    std::int64_t port = 0;  ///< 0: the kind's own
    std::string database;
    std::string table_name;  ///< of the states of nodes that the original puts there
    SecretKey user_name, password;
    bool ssl = false;
    std::string ssl_mode;                        ///< PostgreSQL's; "": prefer, if `ssl`
    std::map<std::string, std::string> options;  ///< MySQL's: of Go's driver and variables of the session
  };
  struct Pool {
    std::int64_t max_idle = 0, max_open = 0;  ///< connections; 0: the default
    Duration max_lifetime{};                  ///< of a connection; 0: any
  };

  bool archive = false;
  doc::Shared label_selector{};          ///< a LabelSelector, as written: only workflows that it selects; null: all
  Duration ttl{};                        ///< how long after their end; 0: for ever
  std::optional<Database> database;      ///< nothing: the archive is the plane's own
  std::string cluster_name = "default";  ///< whose rows are ours
  bool skip_migration = false;
  Pool pool;
  std::int64_t connection_timeout_seconds = 5;
};

extern const FieldTable kPersistenceTable;

void read(const Place& place, PersistenceConfig& out);

/// A whole number of days, or a duration: "10d", "12h".
void read_ttl(const Place& place, Duration& out);

}  // namespace tiphys::api

#include "api/persistence_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "api/reader.h"

namespace tiphys::api {
namespace {

using Database = PersistenceConfig::Database;
using Pool = PersistenceConfig::Pool;

void read_count(const Place& place, std::int64_t& out) {
  read(place, out);
  if (out < 0) place.error(place.name() + " must not be negative");
}

void read_port(const Place& place, std::int64_t& out) {
  read(place, out);
  if (out < 0 || out > 65535) place.error(place.name() + " is no port");
}

/// It becomes part of statements, where no parameter can stand.
void read_table_name(const Place& place, std::string& out) {
  read(place, out);
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  constexpr std::size_t kMostTableName = 48;  // with "_pkey" and the like behind it, of the 63 that there may be
  if (out.size() > kMostTableName || out.find_first_not_of(kAllowed) != out.npos) {
    place.error(fmt::format("{} must be up to {} letters, digits and _", place.name(), kMostTableName));
  }
}

void read_ssl_mode(const Place& place, std::string& out) {
  read(place, out);
  constexpr std::array<std::string_view, 6> kModes{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
  if (!out.empty() && std::ranges::find(kModes, out) == kModes.end()) {
    place.error(fmt::format("{} must be disable, prefer, require, verify-ca or verify-full", place.name()));
  }
}

constexpr Field<Database> kHost = field<&Database::host>("host");
constexpr Field<Database> kPort{"port", Handling::kRead,
                                [](const Place& place, Database& out) { read_port(place, out.port); }};
constexpr Field<Database> kDatabase = field<&Database::database>("database");
constexpr Field<Database> kTableName{"tableName", Handling::kRead,
                                     [](const Place& place, Database& out) { read_table_name(place, out.table_name); }};
constexpr Field<Database> kUserName{"userNameSecret", Handling::kRead,
                                    [](const Place& place, Database& out) { read(place, out.user_name); }, "",
                                    &kObject<kSecretKeyTable>};
constexpr Field<Database> kPassword{"passwordSecret", Handling::kRead,
                                    [](const Place& place, Database& out) { read(place, out.password); }, "",
                                    &kObject<kSecretKeyTable>};

constexpr Field<Database> kPostgreSqlFields[] = {
    kHost,
    kPort,
    kDatabase,
    kTableName,
    kUserName,
    kPassword,
    field<&Database::ssl>("ssl"),
    {"sslMode", Handling::kRead, [](const Place& place, Database& out) { read_ssl_mode(place, out.ssl_mode); }},
    {"azureToken"},
    {"awsRDSToken"},
};
constexpr FieldTable kPostgreSqlTable("PostgreSQLConfig", kPostgreSqlFields);

constexpr Field<Database> kMySqlFields[] = {
    kHost, kPort, kDatabase, kTableName, kUserName, kPassword, field<&Database::options>("options"),
};
constexpr FieldTable kMySqlTable("MySQLConfig", kMySqlFields);

constexpr Field<Pool> kPoolFields[] = {
    {"maxIdleConns", Handling::kRead, [](const Place& place, Pool& out) { read_count(place, out.max_idle); }},
    {"maxOpenConns", Handling::kRead, [](const Place& place, Pool& out) { read_count(place, out.max_open); }},
    {"connMaxLifetime", Handling::kRead, [](const Place& place, Pool& out) { read_ttl(place, out.max_lifetime); }},
};
constexpr FieldTable kPoolTable("ConnectionPool", kPoolFields);

template <Database::Kind kind, const auto& fields>
void read_database(const Place& place, PersistenceConfig& out) {
  if (out.database) return place.key_error("persistence.postgresql and persistence.mysql exclude each other");
  Database& database = out.database.emplace();
  database.kind = kind;
  read_object<Database>(place, database, fields);
  const auto require = [&](bool given, std::string_view name) {
    if (!given && place.value().is_object()) place.error(fmt::format("{}.{} is required", place.name(), name));
  };
  require(!database.host.empty(), "host");
  require(!database.database.empty(), "database");
  require(!database.table_name.empty(), "tableName");
  require(database.user_name.complete(), "userNameSecret with name and key");
  require(database.password.complete(), "passwordSecret with name and key");
}

constexpr Field<PersistenceConfig> kFields[] = {
    field<&PersistenceConfig::archive>("archive"),
    {"archiveLabelSelector", Handling::kRead,
     [](const Place& place, PersistenceConfig& out) {
       if (!place.value().is_object())
         return place.error("archiveLabelSelector must have matchLabels, matchExpressions");
       out.label_selector = place.shared();
     }},
    {"archiveTTL", Handling::kRead, [](const Place& place, PersistenceConfig& out) { read_ttl(place, out.ttl); }},
    {"clusterName", Handling::kRead,
     [](const Place& place, PersistenceConfig& out) {
       std::string name;
       read(place, name);
       if (!name.empty()) out.cluster_name = std::move(name);
     }},
    field<&PersistenceConfig::skip_migration>("skipMigration"),
    {"nodeStatusOffLoad"},
    {"connectionPool", Handling::kRead,
     [](const Place& place, PersistenceConfig& out) { read_object<Pool>(place, out.pool, kPoolFields); }, "",
     &kObject<kPoolTable>},
    {"reconnectionConfig"},
    {"connectionTimeoutSeconds", Handling::kRead,
     [](const Place& place, PersistenceConfig& out) {
       std::int64_t seconds = 0;
       read_count(place, seconds);
       if (seconds > 0) out.connection_timeout_seconds = seconds;
     }},
    {"postgresql", Handling::kRead, read_database<Database::Kind::kPostgreSql, kPostgreSqlFields>, "",
     &kObject<kPostgreSqlTable>},
    {"mysql", Handling::kRead, read_database<Database::Kind::kMySql, kMySqlFields>, "", &kObject<kMySqlTable>},
};

}  // namespace

constexpr FieldTable kPersistenceTable("PersistConfig", kFields);

void read(const Place& place, PersistenceConfig& out) {
  read_object<PersistenceConfig>(place, out, kFields);
}

void read_ttl(const Place& place, Duration& out) {
  std::string text;
  read(place, text);
  const bool days = text.ends_with('d');
  std::int64_t count = 0;
  const char* end = text.data() + text.size() - (days ? 1 : 0);
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  constexpr std::int64_t kMostDays = 100 * 365;
  if (days && error == std::errc() && stop == end && count >= 0 && count <= kMostDays) {
    out = count * std::chrono::hours(24);
  } else if (const auto duration = parse_go_duration(text); !days && duration && *duration >= Duration::zero()) {
    out = *duration;
  } else if (!text.empty()) {
    place.error(fmt::format("{} is no time such as 10d or 12h", place.name()));
  }
}

}  // namespace tiphys::api

#include "persist/database_archive.h"

#include <fmt/format.h>

#include <algorithm>

#include "persist/schema.h"
#include "store/secret_value.h"

namespace tiphys::persist {
namespace {

constexpr std::int64_t kMostConnections = 32;

Dialect dialect_of(const api::PersistenceConfig& config) {
  using Kind = api::PersistenceConfig::Database::Kind;
  return config.database->kind == Kind::kPostgreSql ? Dialect::kPostgreSql : Dialect::kMySql;
}

PoolOptions pool_options(const api::PersistenceConfig& config) {
  PoolOptions options{.connect = [config](const Credentials& who) { return connect(config, who); }};
  if (!config.skip_migration) {
    options.prepare = [dialect = dialect_of(config), table = config.database->table_name](Connection& connection) {
      return migrate(connection, dialect, table);
    };
  }
  const api::PersistenceConfig::Pool& pool = config.pool;
  if (pool.max_open > 0) options.most_open = static_cast<int>(std::min(pool.max_open, kMostConnections));
  if (pool.max_idle > 0) options.most_idle = static_cast<std::size_t>(pool.max_idle);
  options.longest_life = pool.max_lifetime;
  return options;
}

}  // namespace

DatabaseArchive::DatabaseArchive(Executor& executor, store::Store& store, const api::ControllerConfig& config,
                                 std::string ns)
    : store_(store),
      config_(config.persistence),
      ns_(std::move(ns)),
      pool_(executor, pool_options(config_)),
      database_{.pool = pool_,
                .sql = ArchiveSql(dialect_of(config_), config_.cluster_name, config.instance_id),
                .credentials = [this] { return credentials(); }},
      archive_(executor, store, database_),
      archiver_(executor, store, database_),
      expiry_(executor, database_, config_.ttl) {}

void DatabaseArchive::start() {
  archiver_.start();
  if (config_.ttl > Duration::zero()) expiry_.look();
}

Result<Credentials> DatabaseArchive::credentials() const {
  const auto read = [&](const char* field, const api::SecretKey& which) -> Result<std::string> {
    auto value = store::secret_value(store_, ns_, which.name, which.key);
    if (value) return value;
    return fail(Code::kFailedPrecondition, fmt::format("persistence: {}: {}", field, value.error().message));
  };
  TIPHYS_TRY(std::string user, read("userNameSecret", config_.database->user_name));
  TIPHYS_TRY(std::string password, read("passwordSecret", config_.database->password));
  return Credentials{std::move(user), std::move(password)};
}

}  // namespace tiphys::persist

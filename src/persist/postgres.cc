#include "persist/postgres.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "base/strings.h"
#include "persist/authorities.h"
#include "persist/libpq.h"

namespace tiphys::persist {
namespace {

/// What libpq 15 does not look for by itself; "": it has been told where to look.
std::string authorities() {
  const char* home = std::getenv("HOME");
  const bool chosen = std::getenv("PGSSLROOTCERT") != nullptr ||
                      (home && ::access(fmt::format("{}/.postgresql/root.crt", home).c_str(), R_OK) == 0);
  return chosen ? "" : system_authorities();
}

/// In one line.
std::string said(const char* text) {
  std::string line;
  for (const char c : trim(text)) {
    if (c != '\t') line += c == '\n' ? ' ' : c;
  }
  return line;
}

/// Of the classes "connection exception", "insufficient resources" and "operator intervention".
bool is_passing(std::string_view sql_state) {
  return sql_state.starts_with("08") || sql_state.starts_with("53") || sql_state.starts_with("57");
}

class PostgresConnection final : public Connection {
 public:
  PostgresConnection(const Libpq& pq, PGconn* connection) : pq_(pq), connection_(connection) {}
  ~PostgresConnection() override { pq_.PQfinish(connection_); }
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  int socket() const override { return pq_.PQsocket(connection_); }

  Result<SqlResult> run(const Statement& statement) override {
    std::vector<std::string> texts;
    texts.reserve(statement.values.size());
    for (const SqlValue& value : statement.values) {
      const auto* text = std::get_if<std::string>(&value);
      texts.push_back(text ? *text : std::to_string(std::get<std::int64_t>(value)));
    }
    std::vector<const char*> values;
    values.reserve(texts.size());
    for (const std::string& text : texts) values.push_back(text.c_str());
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        pq_.PQexecParams(connection_, statement.text.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                         nullptr, nullptr, 0),
        pq_.PQclear);
    const ExecStatusType status = pq_.PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return std::unexpected(error_of(result.get()));
    return read(*result);
  }

 private:
  Error error_of(const PGresult* result) const {
    const char* state = result ? pq_.PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
    const bool lost = pq_.PQstatus(connection_) != CONNECTION_OK || (state && is_passing(state));
    const char* message = result ? pq_.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
    if (!message) message = pq_.PQerrorMessage(connection_);
    return {lost ? Code::kUnavailable : Code::kInternal,
            fmt::format("PostgreSQL: {}{}", said(message), state ? fmt::format(" (SQLSTATE {})", state) : "")};
  }

  SqlResult read(const PGresult& result) const {
    SqlResult read;
    const int rows = pq_.PQntuples(&result), columns = pq_.PQnfields(&result);
    read.rows.resize(static_cast<std::size_t>(rows));
    for (int row = 0; row < rows; ++row) {
      auto& values = read.rows[static_cast<std::size_t>(row)];
      for (int column = 0; column < columns; ++column) {
        if (pq_.PQgetisnull(&result, row, column) != 0) {
          values.emplace_back();
        } else {
          values.emplace_back(std::string(pq_.PQgetvalue(&result, row, column),
                                          static_cast<std::size_t>(pq_.PQgetlength(&result, row, column))));
        }
      }
    }
    const std::string_view affected = pq_.PQcmdTuples(const_cast<PGresult*>(&result));
    std::from_chars(affected.data(), affected.data() + affected.size(), read.affected);
    return read;
  }

  const Libpq& pq_;
  PGconn* connection_;
};

}  // namespace

std::map<std::string, std::string> postgres_parameters(const api::PersistenceConfig& config,
                                                       const Credentials& credentials, const std::string& ca_file) {
  const api::PersistenceConfig::Database& database = *config.database;
  const std::string mode = !database.ssl ? "disable" : database.ssl_mode.empty() ? "prefer" : database.ssl_mode;
  std::map<std::string, std::string> parameters{
      {"host", database.host},
      {"dbname", database.database},
      {"user", credentials.user},
      {"password", credentials.password},
      {"sslmode", mode},
      {"gssencmode", "disable"},
      {"client_encoding", "UTF8"},
      {"application_name", "tiphys"},
      {"connect_timeout", std::to_string(config.connection_timeout_seconds)},
      // A server that is gone without a word is noticed within a minute.
      {"keepalives_idle", "30"},
      {"keepalives_interval", "10"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "60000"},
  };
  if (database.port != 0) parameters["port"] = std::to_string(database.port);
  if (mode.starts_with("verify-") && !ca_file.empty()) parameters["sslrootcert"] = ca_file;
  return parameters;
}

Result<std::unique_ptr<Connection>> connect_postgres(const api::PersistenceConfig& config,
                                                     const Credentials& credentials) {
  const Result<Libpq>& pq = libpq();
  if (!pq) return std::unexpected(pq.error());
  const auto parameters = postgres_parameters(config, credentials, authorities());
  std::vector<const char*> names, values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* raw = pq->PQconnectdbParams(names.data(), values.data(), 0);
  if (!raw) return fail(Code::kResourceExhausted, "there is no memory for a connection to PostgreSQL");
  auto connection = std::make_unique<PostgresConnection>(*pq, raw);
  if (pq->PQstatus(raw) != CONNECTION_OK) {
    return fail(Code::kUnavailable, fmt::format("PostgreSQL: {}", said(pq->PQerrorMessage(raw))));
  }
  // Notices would go to standard error.
  pq->PQsetNoticeProcessor(raw, [](void*, const char*) {}, nullptr);
  return connection;
}

}  // namespace tiphys::persist

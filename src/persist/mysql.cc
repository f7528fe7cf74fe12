#include "persist/mysql.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>

#include "persist/authorities.h"
#include "persist/libmariadb.h"

namespace tiphys::persist {
namespace {

using Tls = MySqlOptions::Tls;

/// Those of the client (CR_MIN_ERROR to CR_MAX_ERROR and beyond), and servers that are full, or about to end.
bool is_passing(unsigned error) {
  constexpr unsigned kTooMany = 1040, kShutdown = 1053, kKilled = 1927;
  return (error >= 2000 && error < 3000) || (error >= 5000 && error < 6000) || error == kTooMany ||
         error == kShutdown || error == kKilled;
}

Error error_of(unsigned number, const char* text) {
  return {is_passing(number) ? Code::kUnavailable : Code::kInternal, fmt::format("MySQL: {} (error {})", text, number)};
}

/// A statement with what comes of it.
class Prepared {
 public:
  Prepared(const Libmariadb& mysql, MYSQL_STMT* statement) : mysql_(mysql), statement_(statement) {}
  ~Prepared() { mysql_.mysql_stmt_close(statement_); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  Result<SqlResult> run(const Statement& asked) {
    if (mysql_.mysql_stmt_prepare(statement_, asked.text.data(), asked.text.size()) != 0) return failed();
    TIPHYS_CHECK_OK(execute(asked));
    SqlResult result;
    const unsigned columns = mysql_.mysql_stmt_field_count(statement_);
    if (columns == 0) {
      result.affected = mysql_.mysql_stmt_affected_rows(statement_);
      return result;
    }
    TIPHYS_CHECK_OK(read(columns, result));
    return result;
  }

 private:
  std::unexpected<Error> failed() const {
    return std::unexpected(error_of(mysql_.mysql_stmt_errno(statement_), mysql_.mysql_stmt_error(statement_)));
  }

  Status execute(const Statement& asked) {
    std::vector<MYSQL_BIND> parameters(asked.values.size());
    std::vector<std::int64_t> numbers(asked.values.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      MYSQL_BIND& parameter = parameters[i];
      if (const auto* text = std::get_if<std::string>(&asked.values[i])) {
        parameter.buffer_type = MYSQL_TYPE_STRING;
        parameter.buffer = const_cast<char*>(text->data());
        parameter.buffer_length = text->size();
      } else {
        numbers[i] = std::get<std::int64_t>(asked.values[i]);
        parameter.buffer_type = MYSQL_TYPE_LONGLONG;
        parameter.buffer = &numbers[i];
      }
    }
    const bool bound = parameters.empty() || mysql_.mysql_stmt_bind_param(statement_, parameters.data()) == 0;
    if (!bound || mysql_.mysql_stmt_execute(statement_) != 0) return failed();
    return {};
  }

  /// All columns as texts, whose lengths come first.
  Status read(unsigned columns, SqlResult& result) {
    std::vector<MYSQL_BIND> outputs(columns);
    std::vector<unsigned long> lengths(columns);
    std::vector<my_bool> nulls(columns);
    for (unsigned i = 0; i < columns; ++i) {
      outputs[i].buffer_type = MYSQL_TYPE_STRING;
      outputs[i].length = &lengths[i];
      outputs[i].is_null = &nulls[i];
    }
    if (mysql_.mysql_stmt_bind_result(statement_, outputs.data()) != 0) return failed();
    if (mysql_.mysql_stmt_store_result(statement_) != 0) return failed();
    while (true) {
      const int fetched = mysql_.mysql_stmt_fetch(statement_);
      if (fetched == MYSQL_NO_DATA) return {};
      if (fetched == 1) return failed();
      auto& row = result.rows.emplace_back(columns);
      for (unsigned i = 0; i < columns; ++i) {
        if (nulls[i] == 0) TIPHYS_CHECK_OK(fetch(i, lengths[i], row[i].emplace()));
      }
    }
  }

  Status fetch(unsigned column, unsigned long length, std::string& out) {
    out.resize(length);
    if (length == 0) return {};
    unsigned long read = 0;
    MYSQL_BIND whole{};
    whole.buffer_type = MYSQL_TYPE_STRING;
    whole.buffer = out.data();
    whole.buffer_length = length;
    whole.length = &read;
    if (mysql_.mysql_stmt_fetch_column(statement_, &whole, column, 0) != 0) return failed();
    return {};
  }

  const Libmariadb& mysql_;
  MYSQL_STMT* statement_;
};

class MySqlConnection final : public Connection {
 public:
  MySqlConnection(const Libmariadb& mysql, MYSQL* connection) : mysql_(mysql), connection_(connection) {}
  ~MySqlConnection() override { mysql_.mysql_close(connection_); }
  MySqlConnection(const MySqlConnection&) = delete;
  MySqlConnection& operator=(const MySqlConnection&) = delete;

  int socket() const override { return static_cast<int>(mysql_.mysql_get_socket(connection_)); }

  Result<SqlResult> run(const Statement& statement) override {
    // Servers prepare neither transactions nor all that makes tables.
    if (statement.values.empty() && !statement.text.starts_with("SELECT")) {
      const int failed = mysql_.mysql_real_query(connection_, statement.text.data(), statement.text.size());
      if (failed != 0) return std::unexpected(error());
      return SqlResult{};
    }
    MYSQL_STMT* prepared = mysql_.mysql_stmt_init(connection_);
    if (!prepared) return std::unexpected(error());
    return Prepared(mysql_, prepared).run(statement);
  }

  Error error() const { return error_of(mysql_.mysql_errno(connection_), mysql_.mysql_error(connection_)); }

 private:
  const Libmariadb& mysql_;
  MYSQL* connection_;
};

void set_options(const Libmariadb& mysql, MYSQL* connection, const api::PersistenceConfig& config,
                 const MySqlOptions& options) {
  const auto set_number = [&](mysql_option option, unsigned value) {
    if (value != 0) mysql.mysql_options(connection, option, &value);
  };
  set_number(MYSQL_OPT_CONNECT_TIMEOUT, static_cast<unsigned>(config.connection_timeout_seconds));
  set_number(MYSQL_OPT_READ_TIMEOUT, options.read_timeout);
  set_number(MYSQL_OPT_WRITE_TIMEOUT, options.write_timeout);
  mysql.mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const my_bool verified = options.tls == Tls::kVerified ? 1 : 0;
  const my_bool enforced = verified != 0 || options.tls == Tls::kUnverified ? 1 : 0;
  mysql.mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verified);
  mysql.mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &enforced);
  if (options.tls == Tls::kNever) return;
  const std::string authorities = verified != 0 ? system_authorities() : "";
  mysql.mysql_ssl_set(connection, nullptr, nullptr, authorities.empty() ? nullptr : authorities.c_str(), nullptr,
                      nullptr);
}

/// A server that is gone without a word is noticed within a minute. On a socket of this host it means nothing.
void keep_alive(int socket) {
  constexpr int kOn = 1, kIdle = 30, kInterval = 10, kCount = 3;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof kOn);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &kIdle, sizeof kIdle);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &kInterval, sizeof kInterval);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &kCount, sizeof kCount);
}

}  // namespace

Result<std::unique_ptr<Connection>> connect_mysql(const api::PersistenceConfig& config,
                                                  const Credentials& credentials) {
  const Result<Libmariadb>& mysql = libmariadb();
  if (!mysql) return std::unexpected(mysql.error());
  const api::PersistenceConfig::Database& database = *config.database;
  TIPHYS_TRY(const MySqlOptions options, mysql_options_of(database.options));
  MYSQL* raw = mysql->mysql_init(nullptr);
  if (!raw) return fail(Code::kResourceExhausted, "there is no memory for a connection to MySQL");
  auto connection = std::make_unique<MySqlConnection>(*mysql, raw);
  set_options(*mysql, raw, config, options);
  constexpr unsigned kPort = 3306;
  const bool is_path = database.host.starts_with('/');
  const unsigned port = database.port != 0 ? static_cast<unsigned>(database.port) : kPort;
  // Names of this host mean TCP, as for Go's driver.
  const std::string host = database.host == "localhost" ? "127.0.0.1" : database.host;
  if (!mysql->mysql_real_connect(raw, is_path ? nullptr : host.c_str(), credentials.user.c_str(),
                                 credentials.password.c_str(), database.database.c_str(), is_path ? 0 : port,
                                 is_path ? database.host.c_str() : nullptr, 0)) {
    return fail(Code::kUnavailable, connection->error().message);
  }
  keep_alive(connection->socket());
  for (const Statement& variable : options.session) TIPHYS_CHECK_OK(execute(*connection, variable));
  return connection;
}

}  // namespace tiphys::persist

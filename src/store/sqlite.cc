#include "store/sqlite.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "store/wal_vfs.h"

namespace tiphys::store {
namespace {

Code code_of(int result, int system_error) {
  if (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG) return Code::kResourceExhausted;
  switch (result & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return Code::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kDataLoss;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return Code::kPermissionDenied;
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

std::unexpected<Error> error_of(sqlite3* database) {
  const int result = sqlite3_extended_errcode(database);
  const int primary = result & 0xFF;
  const bool asked_system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL;
  const int system_error = asked_system ? sqlite3_system_errno(database) : 0;
  std::string message = sqlite3_errmsg(database);
  if (system_error != 0) message += fmt::format(" ({})", std::strerror(system_error));
  const char* file = sqlite3_db_filename(database, "main");
  return fail(code_of(result, system_error), fmt::format("store {}: {}", file && *file ? file : "in memory", message));
}

}  // namespace

Query::Query(Query&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      prepared_(std::move(other.prepared_)),
      bound_(other.bound_) {}

Query::~Query() {
  if (!statement_) return;
  // The outcome of the last step, which next() and run() have told already.
  static_cast<void>(sqlite3_reset(statement_));
  sqlite3_clear_bindings(statement_);
}

Query& Query::bind(std::int64_t value) {
  if (prepared_ && sqlite3_bind_int64(statement_, ++bound_, value) != SQLITE_OK) prepared_ = error_of(database_);
  return *this;
}

Query& Query::bind(std::string_view text) {
  // A null pointer would bind NULL.
  const char* start = text.data() ? text.data() : "";
  if (prepared_ &&
      sqlite3_bind_text64(statement_, ++bound_, start, text.size(), SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK) {
    prepared_ = error_of(database_);
  }
  return *this;
}

Query& Query::bind_or_null(std::string_view text) {
  if (!text.empty()) return bind(text);
  if (prepared_ && sqlite3_bind_null(statement_, ++bound_) != SQLITE_OK) prepared_ = error_of(database_);
  return *this;
}

Result<bool> Query::next() {
  if (!prepared_) return std::unexpected(prepared_.error());
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return error_of(database_);
  }
}

Status Query::run() {
  while (true) {
    TIPHYS_TRY(const bool more, next());
    if (!more) return {};
  }
}

std::int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Query::text(int column) const {
  const auto* start = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (!start) return {};
  return {start, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<Database> Database::open(const std::string& path, int flags) {
  Database database;
  sqlite3* raw = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, wal_vfs());
  database.database_.reset(raw);
  if (result == SQLITE_OK) return database;
  if (!raw) return fail(Code::kResourceExhausted, "store " + path + ": out of memory");
  return error_of(raw);
}

Status Database::execute(const char* sql) {
  if (sqlite3_exec(get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return error_of(get());
}

Query Database::query(const char* literal) {
  auto& statement = statements_[literal];
  if (!statement) {
    sqlite3_stmt* raw = nullptr;
    const int result = sqlite3_prepare_v3(get(), literal, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (result != SQLITE_OK) return Query(get(), nullptr, error_of(get()));
    statement.reset(raw);
  }
  TIPHYS_CHECK(sqlite3_stmt_busy(statement.get()) == 0, "a statement has one run at a time");
  return Query(get(), statement.get(), {});
}

Result<std::int64_t> Database::value(const char* literal) {
  Query rows = query(literal);
  TIPHYS_TRY(const bool found, rows.next());
  return found ? rows.integer(0) : 0;
}

std::unexpected<Error> Database::last_error() const {
  return error_of(get());
}

}  // namespace tiphys::store

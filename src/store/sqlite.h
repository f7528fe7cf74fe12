// SQLite's C interface with owners, results and a cache of prepared statements.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"

namespace tiphys::store {

/// One run of a prepared statement. Bound texts must live until it ends; its end makes the statement free for the next.
class Query {
 public:
  Query(sqlite3* database, sqlite3_stmt* statement, Status prepared)
      : database_(database), statement_(statement), prepared_(std::move(prepared)) {}
  Query(Query&& other) noexcept;
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  Query& operator=(Query&&) = delete;
  ~Query();

  Query& bind(std::int64_t value);
  Query& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
  Query& bind(int value) { return bind(static_cast<std::int64_t>(value)); }
  Query& bind(bool value) { return bind(static_cast<std::int64_t>(value)); }
  Query& bind(std::string_view text);
  Query& bind(const std::string& text) { return bind(std::string_view(text)); }
  Query& bind(const char* text) { return bind(std::string_view(text)); }
  /// NULL instead of an empty text.
  Query& bind_or_null(std::string_view text);

  /// Moves to the next row; false when there is none.
  Result<bool> next();
  /// Runs to the end, for statements without rows.
  Status run();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
  Status prepared_;
  int bound_ = 0;
};

/// A connection. One thread at a time may use it.
class Database {
 public:
  /// `flags` are sqlite3_open_v2's.
  static Result<Database> open(const std::string& path, int flags);

  /// Runs statements without parameters or rows.
  Status execute(const char* sql);
  /// Starts a statement whose text is a literal: the prepared statement is kept under its address. Only one run of a
  /// statement can be under way at a time.
  Query query(const char* literal);
  /// The first column of the first row; 0 when there is none.
  Result<std::int64_t> value(const char* literal);

  /// Rows that the last finished statement changed.
  std::int64_t changes() const { return sqlite3_changes64(database_.get()); }
  bool in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }
  /// The error of the last call that failed.
  std::unexpected<Error> last_error() const;
  sqlite3* get() const { return database_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  std::unique_ptr<sqlite3, Close> database_;
  std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

}  // namespace tiphys::store

// MariaDB's client library, which speaks with MySQL, too; loaded as libpq is, and for the same reasons.
#pragma once

#include <mariadb/mysql.h>

#include "base/error.h"

namespace tiphys::persist {

/// The functions of libmariadb that are used, by their names.
struct Libmariadb {
  decltype(&::mysql_server_init) mysql_server_init = nullptr;
  decltype(&::mysql_init) mysql_init = nullptr;
  decltype(&::mysql_options) mysql_options = nullptr;
  decltype(&::mysql_ssl_set) mysql_ssl_set = nullptr;
  decltype(&::mysql_real_connect) mysql_real_connect = nullptr;
  decltype(&::mysql_close) mysql_close = nullptr;
  decltype(&::mysql_real_query) mysql_real_query = nullptr;
  decltype(&::mysql_get_socket) mysql_get_socket = nullptr;
  decltype(&::mysql_errno) mysql_errno = nullptr;
  decltype(&::mysql_error) mysql_error = nullptr;
  decltype(&::mysql_stmt_init) mysql_stmt_init = nullptr;
  decltype(&::mysql_stmt_prepare) mysql_stmt_prepare = nullptr;
  decltype(&::mysql_stmt_bind_param) mysql_stmt_bind_param = nullptr;
  decltype(&::mysql_stmt_execute) mysql_stmt_execute = nullptr;
  decltype(&::mysql_stmt_field_count) mysql_stmt_field_count = nullptr;
  decltype(&::mysql_stmt_bind_result) mysql_stmt_bind_result = nullptr;
  decltype(&::mysql_stmt_store_result) mysql_stmt_store_result = nullptr;
  decltype(&::mysql_stmt_fetch) mysql_stmt_fetch = nullptr;
  decltype(&::mysql_stmt_fetch_column) mysql_stmt_fetch_column = nullptr;
  decltype(&::mysql_stmt_affected_rows) mysql_stmt_affected_rows = nullptr;
  decltype(&::mysql_stmt_errno) mysql_stmt_errno = nullptr;
  decltype(&::mysql_stmt_error) mysql_stmt_error = nullptr;
  decltype(&::mysql_stmt_close) mysql_stmt_close = nullptr;
};

/// Loads it once for the process. An error says what to install.
const Result<Libmariadb>& libmariadb();

}  // namespace tiphys::persist

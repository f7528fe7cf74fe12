#include "persist/libmariadb.h"

#include "base/shared_library.h"

namespace tiphys::persist {
namespace {

Result<Libmariadb> load() {
  TIPHYS_TRY(SharedLibrary library,
             SharedLibrary::load({"libmariadb.so.3"}, "speaks with MySQL and MariaDB", "libmariadb3"));
  Libmariadb mysql;
  library.bind(mysql.mysql_server_init, "mysql_server_init");
  library.bind(mysql.mysql_init, "mysql_init");
  library.bind(mysql.mysql_options, "mysql_options");
  library.bind(mysql.mysql_ssl_set, "mysql_ssl_set");
  library.bind(mysql.mysql_real_connect, "mysql_real_connect");
  library.bind(mysql.mysql_close, "mysql_close");
  library.bind(mysql.mysql_real_query, "mysql_real_query");
  library.bind(mysql.mysql_get_socket, "mysql_get_socket");
  library.bind(mysql.mysql_errno, "mysql_errno");
  library.bind(mysql.mysql_error, "mysql_error");
  library.bind(mysql.mysql_stmt_init, "mysql_stmt_init");
  library.bind(mysql.mysql_stmt_prepare, "mysql_stmt_prepare");
  library.bind(mysql.mysql_stmt_bind_param, "mysql_stmt_bind_param");
  library.bind(mysql.mysql_stmt_execute, "mysql_stmt_execute");
  library.bind(mysql.mysql_stmt_field_count, "mysql_stmt_field_count");
  library.bind(mysql.mysql_stmt_bind_result, "mysql_stmt_bind_result");
  library.bind(mysql.mysql_stmt_store_result, "mysql_stmt_store_result");
  library.bind(mysql.mysql_stmt_fetch, "mysql_stmt_fetch");
  library.bind(mysql.mysql_stmt_fetch_column, "mysql_stmt_fetch_column");
  library.bind(mysql.mysql_stmt_affected_rows, "mysql_stmt_affected_rows");
  library.bind(mysql.mysql_stmt_errno, "mysql_stmt_errno");
  library.bind(mysql.mysql_stmt_error, "mysql_stmt_error");
  library.bind(mysql.mysql_stmt_close, "mysql_stmt_close");
  if (!library.complete())
    return fail(Code::kFailedPrecondition, "libmariadb.so.3 is too old: install a newer libmariadb3");
  // The first connection would do it, on whatever thread.
  if (mysql.mysql_server_init(0, nullptr, nullptr) != 0)
    return fail(Code::kInternal, "libmariadb.so.3 cannot be set up");
  return mysql;
}

}  // namespace

const Result<Libmariadb>& libmariadb() {
  static const Result<Libmariadb> library = load();
  return library;
}

}  // namespace tiphys::persist

#include "persist/libmariadb.h"

#include <dlfcn.h>

namespace tiphys::persist {
namespace {

Result<Libmariadb> load() {
  void* library = ::dlopen("libmariadb.so.3", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    return fail(Code::kFailedPrecondition,
                "libmariadb.so.3, which speaks with MySQL and MariaDB, cannot be loaded: install libmariadb3");
  }
  Libmariadb mysql;
  bool complete = true;
  const auto bind = [&]<typename Function>(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    complete = complete && function != nullptr;
  };
  bind(mysql.mysql_server_init, "mysql_server_init");
  bind(mysql.mysql_init, "mysql_init");
  bind(mysql.mysql_options, "mysql_options");
  bind(mysql.mysql_ssl_set, "mysql_ssl_set");
  bind(mysql.mysql_real_connect, "mysql_real_connect");
  bind(mysql.mysql_close, "mysql_close");
  bind(mysql.mysql_real_query, "mysql_real_query");
  bind(mysql.mysql_get_socket, "mysql_get_socket");
  bind(mysql.mysql_errno, "mysql_errno");
  bind(mysql.mysql_error, "mysql_error");
  bind(mysql.mysql_stmt_init, "mysql_stmt_init");
  bind(mysql.mysql_stmt_prepare, "mysql_stmt_prepare");
  bind(mysql.mysql_stmt_bind_param, "mysql_stmt_bind_param");
  bind(mysql.mysql_stmt_execute, "mysql_stmt_execute");
  bind(mysql.mysql_stmt_field_count, "mysql_stmt_field_count");
  bind(mysql.mysql_stmt_bind_result, "mysql_stmt_bind_result");
  bind(mysql.mysql_stmt_store_result, "mysql_stmt_store_result");
  bind(mysql.mysql_stmt_fetch, "mysql_stmt_fetch");
  bind(mysql.mysql_stmt_fetch_column, "mysql_stmt_fetch_column");
  bind(mysql.mysql_stmt_affected_rows, "mysql_stmt_affected_rows");
  bind(mysql.mysql_stmt_errno, "mysql_stmt_errno");
  bind(mysql.mysql_stmt_error, "mysql_stmt_error");
  bind(mysql.mysql_stmt_close, "mysql_stmt_close");
  if (!complete) return fail(Code::kFailedPrecondition, "libmariadb.so.3 is too old: install a newer libmariadb3");
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

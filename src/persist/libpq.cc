#include "persist/libpq.h"

#include <dlfcn.h>

namespace tiphys::persist {
namespace {

Result<Libpq> load() {
  void* library = ::dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    return fail(Code::kFailedPrecondition,
                "libpq.so.5, which speaks with PostgreSQL, cannot be loaded: install libpq5");
  }
  Libpq pq;
  bool complete = true;
  const auto bind = [&]<typename Function>(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    complete = complete && function != nullptr;
  };
  bind(pq.PQconnectdbParams, "PQconnectdbParams");
  bind(pq.PQfinish, "PQfinish");
  bind(pq.PQstatus, "PQstatus");
  bind(pq.PQsocket, "PQsocket");
  bind(pq.PQerrorMessage, "PQerrorMessage");
  bind(pq.PQsetNoticeProcessor, "PQsetNoticeProcessor");
  bind(pq.PQexecParams, "PQexecParams");
  bind(pq.PQresultStatus, "PQresultStatus");
  bind(pq.PQresultErrorField, "PQresultErrorField");
  bind(pq.PQntuples, "PQntuples");
  bind(pq.PQnfields, "PQnfields");
  bind(pq.PQgetisnull, "PQgetisnull");
  bind(pq.PQgetvalue, "PQgetvalue");
  bind(pq.PQgetlength, "PQgetlength");
  bind(pq.PQcmdTuples, "PQcmdTuples");
  bind(pq.PQclear, "PQclear");
  if (!complete) return fail(Code::kFailedPrecondition, "libpq.so.5 is too old: install a newer libpq5");
  return pq;
}

}  // namespace

const Result<Libpq>& libpq() {
  static const Result<Libpq> library = load();
  return library;
}

}  // namespace tiphys::persist

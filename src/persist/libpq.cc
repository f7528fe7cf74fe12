#include "persist/libpq.h"

#include "base/shared_library.h"

namespace tiphys::persist {
namespace {

Result<Libpq> load() {
  TIPHYS_TRY(SharedLibrary library, SharedLibrary::load({"libpq.so.5"}, "speaks with PostgreSQL", "libpq5"));
  Libpq pq;
  library.bind(pq.PQconnectdbParams, "PQconnectdbParams");
  library.bind(pq.PQfinish, "PQfinish");
  library.bind(pq.PQstatus, "PQstatus");
  library.bind(pq.PQsocket, "PQsocket");
  library.bind(pq.PQerrorMessage, "PQerrorMessage");
  library.bind(pq.PQsetNoticeProcessor, "PQsetNoticeProcessor");
  library.bind(pq.PQexecParams, "PQexecParams");
  library.bind(pq.PQresultStatus, "PQresultStatus");
  library.bind(pq.PQresultErrorField, "PQresultErrorField");
  library.bind(pq.PQntuples, "PQntuples");
  library.bind(pq.PQnfields, "PQnfields");
  library.bind(pq.PQgetisnull, "PQgetisnull");
  library.bind(pq.PQgetvalue, "PQgetvalue");
  library.bind(pq.PQgetlength, "PQgetlength");
  library.bind(pq.PQcmdTuples, "PQcmdTuples");
  library.bind(pq.PQclear, "PQclear");
  if (!library.complete()) return fail(Code::kFailedPrecondition, "libpq.so.5 is too old: install a newer libpq5");
  return pq;
}

}  // namespace

const Result<Libpq>& libpq() {
  static const Result<Libpq> library = load();
  return library;
}

}  // namespace tiphys::persist

// libpq, loaded when a database is first asked: Debian's archive of it needs Kerberos, of which there is none, and the
// program must start where it is not installed.
#pragma once

#include <postgresql/libpq-fe.h>

#include "base/error.h"

namespace tiphys::persist {

/// The functions of libpq that are used, by their names.
struct Libpq {
  decltype(&::PQconnectdbParams) PQconnectdbParams = nullptr;
  decltype(&::PQfinish) PQfinish = nullptr;
  decltype(&::PQstatus) PQstatus = nullptr;
  decltype(&::PQsocket) PQsocket = nullptr;
  decltype(&::PQerrorMessage) PQerrorMessage = nullptr;
  decltype(&::PQsetNoticeProcessor) PQsetNoticeProcessor = nullptr;
  decltype(&::PQexecParams) PQexecParams = nullptr;
  decltype(&::PQresultStatus) PQresultStatus = nullptr;
  decltype(&::PQresultErrorField) PQresultErrorField = nullptr;
  decltype(&::PQntuples) PQntuples = nullptr;
  decltype(&::PQnfields) PQnfields = nullptr;
  decltype(&::PQgetisnull) PQgetisnull = nullptr;
  decltype(&::PQgetvalue) PQgetvalue = nullptr;
  decltype(&::PQgetlength) PQgetlength = nullptr;
  decltype(&::PQcmdTuples) PQcmdTuples = nullptr;
  decltype(&::PQclear) PQclear = nullptr;
};

/// Loads it once for the process. An error says what to install.
const Result<Libpq>& libpq();

}  // namespace tiphys::persist

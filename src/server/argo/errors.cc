#include "server/argo/errors.h"

#include <algorithm>
#include <array>

#include "doc/value.h"

namespace tiphys::server {
namespace {

struct Entry {
  Code code;
  unsigned http;
  std::string_view words;  ///< of the HTTP code
};

constexpr std::array kEntries{
    Entry{Code::kCancelled, 408, "Request Timeout"},
    Entry{Code::kUnknown, 500, "Internal Server Error"},
    Entry{Code::kInvalidArgument, 400, "Bad Request"},
    Entry{Code::kDeadlineExceeded, 504, "Gateway Timeout"},
    Entry{Code::kNotFound, 404, "Not Found"},
    Entry{Code::kAlreadyExists, 409, "Conflict"},
    Entry{Code::kPermissionDenied, 403, "Forbidden"},
    Entry{Code::kUnauthenticated, 401, "Unauthorized"},
    Entry{Code::kResourceExhausted, 429, "Too Many Requests"},
    Entry{Code::kFailedPrecondition, 400, "Bad Request"},
    Entry{Code::kAborted, 409, "Conflict"},
    Entry{Code::kOutOfRange, 400, "Bad Request"},
    Entry{Code::kUnimplemented, 501, "Not Implemented"},
    Entry{Code::kInternal, 500, "Internal Server Error"},
    Entry{Code::kUnavailable, 503, "Service Unavailable"},
    Entry{Code::kDataLoss, 500, "Internal Server Error"},
};

const Entry& entry_of(Code code) {
  const auto found = std::ranges::find(kEntries, code, &Entry::code);
  return found != kEntries.end() ? *found : entry_of(Code::kUnknown);
}

}  // namespace

Code code_of_http(unsigned http) {
  switch (http) {
    case 400:
    case 406:
    case 415:
    case 422:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 405:
    case 501:
      return Code::kUnimplemented;
    case 409:
      return Code::kAborted;
    case 413:
    case 429:
    case 431:
      return Code::kResourceExhausted;
    case 503:
      return Code::kUnavailable;
    case 504:
      return Code::kDeadlineExceeded;
    default:
      return Code::kInternal;
  }
}

unsigned gateway_code(Code code) {
  return entry_of(code).http;
}

std::string gateway_error(const Error& error) {
  return doc::to_json(doc::Object{{"code", static_cast<int>(error.code)}, {"message", error.message}});
}

std::string gateway_stream_error(const Error& error) {
  const Entry& entry = entry_of(error.code);
  return doc::to_json(doc::Object{{"error", doc::Object{{"grpc_code", static_cast<int>(error.code)},
                                                        {"http_code", entry.http},
                                                        {"message", error.message},
                                                        {"http_status", entry.words}}}});
}

Error error_of(const objects::Refusal& refusal) {
  return {code_of_http(refusal.code), refusal.message};
}

}  // namespace tiphys::server

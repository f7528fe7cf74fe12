#include "cluster/api_status.h"

#include <fmt/format.h>

#include <array>

#include "doc/value.h"

namespace tiphys::cluster {
namespace {

/// Reasons are those of k8s.io/apimachinery/pkg/apis/meta/v1 StatusReason. Each code has its own, so that a client gets
/// the code back.
struct Entry {
  Code code;
  unsigned http;
  std::string_view reason;
};

constexpr std::array kEntries{
    Entry{Code::kInvalidArgument, 400, "BadRequest"},
    Entry{Code::kUnauthenticated, 401, "Unauthorized"},
    Entry{Code::kPermissionDenied, 403, "Forbidden"},
    Entry{Code::kNotFound, 404, "NotFound"},
    Entry{Code::kUnimplemented, 405, "MethodNotAllowed"},
    Entry{Code::kAlreadyExists, 409, "AlreadyExists"},
    Entry{Code::kAborted, 409, "Conflict"},
    Entry{Code::kOutOfRange, 410, "Expired"},
    Entry{Code::kFailedPrecondition, 422, "Invalid"},
    Entry{Code::kResourceExhausted, 429, "TooManyRequests"},
    Entry{Code::kInternal, 500, "InternalError"},
    Entry{Code::kUnavailable, 503, "ServiceUnavailable"},
    Entry{Code::kDeadlineExceeded, 504, "Timeout"},
};

const Entry& entry_of(Code code) {
  for (const auto& entry : kEntries) {
    if (entry.code == code) return entry;
  }
  return entry_of(Code::kInternal);
}

}  // namespace

unsigned http_code(Code code) {
  return entry_of(code).http;
}

std::string_view status_reason(Code code) {
  return entry_of(code).reason;
}

std::string status_json(const Error& error) {
  const Entry& entry = entry_of(error.code);
  return status_json(entry.http, entry.reason, error.message);
}

std::string status_json(unsigned code, std::string_view reason, std::string_view message) {
  return doc::to_json(doc::Object{{"kind", "Status"},
                                  {"apiVersion", "v1"},
                                  {"metadata", doc::Object{}},
                                  {"status", "Failure"},
                                  {"message", message},
                                  {"reason", reason},
                                  {"code", code}});
}

Error error_of(unsigned code, std::string_view body) {
  const auto parsed = doc::parse_json(body);
  std::string message = fmt::format("the server answered with HTTP {}: {}", code, body.substr(0, 200));
  if (parsed && doc::find_string(*parsed, "kind") == "Status") {
    const std::string_view reason = doc::find_string(*parsed, "reason");
    message = doc::find_string(*parsed, "message");
    for (const auto& entry : kEntries) {
      if (entry.reason == reason) return {entry.code, std::move(message)};
    }
    const doc::Value* own_code = doc::find(*parsed, "code");
    if (own_code && own_code->is_int64()) code = static_cast<unsigned>(own_code->get_int64());
  }
  for (const auto& entry : kEntries) {
    if (entry.http == code) return {entry.code, std::move(message)};
  }
  return {code >= 500 ? Code::kInternal : Code::kInvalidArgument, std::move(message)};
}

}  // namespace tiphys::cluster

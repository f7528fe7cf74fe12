// What went wrong, for a person who reads it and for code that decides by it.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace tiphys {

/// The codes of gRPC (google/rpc/code.proto), so that a server can hand them on unchanged.
enum class Code {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,  ///< lost a race: an optimistic-concurrency conflict
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

std::string_view code_name(Code code);

struct Error {
  Code code = Code::kUnknown;
  std::string message;  ///< a sentence: what is wrong, where, what to do

  /// The same error, its message led by `context` and ": ".
  Error in(std::string_view context) const { return {code, std::string(context) + ": " + message}; }
  bool operator==(const Error&) const = default;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Code code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

/// An error of the operating system: `what` names the call and its object, errno gives the code and the reason.
std::unexpected<Error> fail_errno(std::string_view what, int error_number);

}  // namespace tiphys

#define TIPHYS_CONCAT_(a, b) a##b
#define TIPHYS_CONCAT(a, b) TIPHYS_CONCAT_(a, b)

/// Declares or assigns `lhs` from a Result expression; on an error returns it from the function.
#define TIPHYS_TRY(lhs, expression) TIPHYS_TRY_(TIPHYS_CONCAT(tiphys_result_, __LINE__), lhs, expression)
#define TIPHYS_TRY_(name, lhs, expression)                    \
  auto name = (expression);                                   \
  if (!name) return std::unexpected(std::move(name).error()); \
  lhs = std::move(*name)

/// Returns the error of a Status expression from the function.
#define TIPHYS_CHECK_OK(expression) \
  if (auto tiphys_status = (expression); !tiphys_status) return std::unexpected(std::move(tiphys_status).error())

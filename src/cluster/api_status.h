// Errors as the Kubernetes API tells them: an HTTP code and a Status object.
#pragma once

#include <string>

#include "base/error.h"

namespace tiphys::cluster {

/// 404 for kNotFound, 409 for kAborted, ...
unsigned http_code(Code code);
/// "NotFound", "Conflict", ...
std::string_view status_reason(Code code);
/// The Status object of an error, as JSON.
std::string status_json(const Error& error);
/// For what HTTP itself refuses: 404 unknown path, 405, 413, 415, 431.
std::string status_json(unsigned code, std::string_view reason, std::string_view message);

/// The error that a response stands for: from its Status object, or from its code when the body is something else.
Error error_of(unsigned code, std::string_view body);

}  // namespace tiphys::cluster

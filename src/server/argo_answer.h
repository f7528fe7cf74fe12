// What went wrong, by an answer of HTTP's alone: to clients of Argo's API.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/client.h"

namespace tiphys::server {

/// Of an answer of another code than 2xx: Argo's own error, or what a server before it says.
Error error_of_answer(unsigned code, std::string_view body);
/// Of an answer that is none of Argo's API: kUnimplemented.
Error not_of_argo(const http::Endpoint& endpoint, std::string_view body);
/// What an answer's body tells beside its code, behind ": ": a line of text, and no page. "" when there is none.
std::string first_line(std::string_view body);

}  // namespace tiphys::server

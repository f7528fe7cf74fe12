// What Go's client refuses to send, and what it makes of a request that an answer sends elsewhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "web/http_client.h"
#include "web/url.h"

namespace tiphys::web {

inline constexpr int kMostRedirects = 10;

bool same_header(std::string_view a, std::string_view b);
/// The first of that name; null: there is none.
const std::string* find_header(const Headers& headers, std::string_view name);

/// Method and headers must be what HTTP calls so: a line break would begin another header.
Status check_method(std::string_view method);
Status check_headers(const Headers& headers);

/// Where the answer sends the request; absent: nowhere.
std::optional<std::string> redirection(const HttpAnswer& answer);
/// The request for the URL `to` that the answer to the one for `from` named in `location`: without body but for 307 and
/// 308, without secrets in another domain.
void redirect(HttpRequest& request, int status, std::string_view location, const Url& from, const Url& to);

/// What the second server is told of the first.
std::string referer(const Url& from, const Url& to);

}  // namespace tiphys::web

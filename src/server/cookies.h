// The header "Cookie" of a request (RFC 6265, 4.2).
#pragma once

#include <string_view>
#include <vector>

namespace tiphys::server {

/// The values of all cookies of this name, in order, without the quotes around them. A browser sends several of one
/// name when they were set for several paths or domains.
std::vector<std::string_view> cookies_named(std::string_view header, std::string_view name);

}  // namespace tiphys::server

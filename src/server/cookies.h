// Cookies (RFC 6265), in the form in which Go writes and reads them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::server {

/// The values of all cookies of this name in a Cookie header, without quotation marks. A domain and its parents may
/// each have set one.
std::vector<std::string_view> cookies_named(std::string_view header, std::string_view name);

struct Cookie {
  std::string name{}, value{};  ///< a value without quotation marks, semicolons, backslashes and control characters
  std::string path{};
  std::chrono::seconds life{};  ///< 0: it goes at once
  bool secure = true;
  bool strict = true;  ///< SameSite=Strict: no other site's link brings it along; else Lax
};

/// The value of a header Set-Cookie. No script can read the cookie.
std::string set_cookie(const Cookie& cookie);

}  // namespace tiphys::server

#include "server/cookies.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace tiphys::server {

std::vector<std::string_view> cookies_named(std::string_view header, std::string_view name) {
  std::vector<std::string_view> values;
  while (!header.empty()) {
    const auto semicolon = header.find(';');
    const std::string_view pair = trim(header.substr(0, semicolon));
    header.remove_prefix(semicolon == header.npos ? header.size() : semicolon + 1);
    const auto equals = pair.find('=');
    if (equals == pair.npos || trim(pair.substr(0, equals)) != name) continue;
    std::string_view value = trim(pair.substr(equals + 1));
    if (value.size() > 1 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
    values.push_back(value);
  }
  return values;
}

std::string set_cookie(const Cookie& cookie) {
  // Go quotes what has a space or a comma.
  const bool quoted = cookie.value.find_first_of(" ,") != std::string::npos;
  const std::string_view mark = quoted ? "\"" : "";
  return fmt::format("{}={}{}{}; Path={}; Max-Age={}; HttpOnly{}; SameSite={}", cookie.name, mark, cookie.value, mark,
                     cookie.path, cookie.life.count(), cookie.secure ? "; Secure" : "",
                     cookie.strict ? "Strict" : "Lax");
}

}  // namespace tiphys::server

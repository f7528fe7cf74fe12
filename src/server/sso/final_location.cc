#include "server/sso/final_location.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::server {
namespace {

constexpr std::size_t kMostBytes = 2048;

bool is_slash(char c) {
  return c == '/' || c == '\\';
}

/// Two slashes with nothing, white space or one or two dots in between, as oauth2-proxy looks for them.
bool could_name_a_host(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (!is_slash(path[i])) continue;
    std::size_t dots = i + 1;
    while (dots < path.size() && dots < i + 3 && path[dots] == '.') {
      if (++dots < path.size() && is_slash(path[dots])) return true;
    }
    const std::size_t next = std::min(path.find_first_not_of(' ', i + 1), path.size());
    if (next < path.size() && is_slash(path[next])) return true;
  }
  return false;
}

}  // namespace

std::string final_location(std::string_view wanted, std::string_view base_path) {
  const bool has_control = std::ranges::any_of(wanted, [](unsigned char c) { return c < ' ' || c == 0x7f; });
  if (!wanted.starts_with('/') || wanted.size() > kMostBytes || has_control || could_name_a_host(wanted)) {
    return std::string(base_path);
  }
  std::string location;
  for (const unsigned char c : wanted) {
    c > ' ' && c < 0x7f ? location += static_cast<char>(c) : location += fmt::format("%{:02X}", c);
  }
  return location;
}

}  // namespace tiphys::server

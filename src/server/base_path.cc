#include "server/base_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace tiphys::server {
namespace {

/// Of a URL's path (RFC 3986), but for what ends a cookie's attribute or an attribute of HTML.
bool is_plain(unsigned char c) {
  return std::isalnum(c) != 0 || std::string_view("/-._~!$()*+,=:@%").contains(static_cast<char>(c));
}

}  // namespace

Result<std::string> base_path(std::string_view written) {
  std::string_view path = written;
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!std::ranges::all_of(path, is_plain)) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no path of a URL", written));
  }
  return path.empty() ? "/" : fmt::format("/{}/", path);
}

}  // namespace tiphys::server

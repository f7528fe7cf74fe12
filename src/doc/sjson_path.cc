#include "doc/sjson_path.h"

#include "doc/gjson/scan.h"

namespace tiphys::doc {
namespace {

SjsonPart read_part(std::string_view path) {
  SjsonPart part;
  if (path.starts_with(':')) {
    part.is_key = true;
    path.remove_prefix(1);
  }
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '.') {
      part.rest = path.substr(i + 1);
      part.more = true;
      break;
    }
    if (path[i] == '\\') {
      part.search += '\\';
      if (++i == path.size()) break;
    } else if (std::string_view("|#@*?").find(path[i]) != std::string_view::npos) {
      part.is_complex = true;
      break;
    }
    part.name += path[i];
    part.search += path[i];
  }
  return part;
}

}  // namespace

std::optional<std::int64_t> SjsonPart::index() const {
  if (is_key) return std::nullopt;
  if (name.empty()) return 0;
  const auto digits = gjson::parse_digits(name);
  return digits ? std::optional(static_cast<std::int64_t>(*digits)) : std::nullopt;
}

std::optional<std::vector<SjsonPart>> read_sjson_parts(std::string_view path, std::size_t limit) {
  std::vector<SjsonPart> parts;
  do {
    parts.push_back(read_part(path));
    if (parts.back().is_complex) return std::nullopt;
    path = parts.back().rest;
  } while (parts.back().more && parts.size() <= limit);
  return parts;
}

}  // namespace tiphys::doc

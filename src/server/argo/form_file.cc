#include "server/argo/form_file.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <optional>

#include "base/strings.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool equals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// A parameter of a header's value, `form-data; name="file"`: RFC 2045 5.1.
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  for (auto at = value.find(';'); at != value.npos;) {
    value.remove_prefix(at + 1);
    const auto sign = value.find('=');
    if (sign == value.npos) return std::nullopt;
    const bool wanted = equals(trim(value.substr(0, sign)), name);
    value.remove_prefix(sign + 1);
    std::string text;
    if (value.starts_with('"')) {
      std::size_t i = 1;
      for (; i < value.size() && value[i] != '"'; ++i) {
        // Browsers leave the backslashes of paths alone.
        if (value[i] == '\\' && i + 1 < value.size() && (value[i + 1] == '"' || value[i + 1] == '\\')) ++i;
        text += value[i];
      }
      value.remove_prefix(std::min(i + 1, value.size()));
    } else {
      text = trim(value.substr(0, value.find(';')));
    }
    if (wanted) return text;
    at = value.find(';');
  }
  return std::nullopt;
}

/// The value of "Content-Disposition" among the lines of a part's header.
std::string_view disposition(std::string_view header) {
  while (!header.empty()) {
    const auto end = header.find(kLineEnd);
    const std::string_view line = header.substr(0, end);
    const auto colon = line.find(':');
    if (colon != line.npos && equals(trim(line.substr(0, colon)), "content-disposition")) return line.substr(colon + 1);
    header = end == header.npos ? std::string_view() : header.substr(end + kLineEnd.size());
  }
  return {};
}

std::unexpected<Error> broken(std::string_view why) {
  return fail(Code::kInvalidArgument, fmt::format("the body is no multipart/form-data: {}", why));
}

}  // namespace

Result<FormFile> find_form_file(std::string_view content_type, std::string_view body, std::string_view field) {
  const auto boundary = parameter(content_type, "boundary");
  if (!equals(trim(content_type.substr(0, content_type.find(';'))), "multipart/form-data") || !boundary ||
      boundary->empty()) {
    return broken("write Content-Type: multipart/form-data; boundary=...");
  }
  const std::string first = "--" + *boundary, next = std::string(kLineEnd) + first;
  auto at = body.starts_with(first) ? 0 : body.find(next);
  if (at == body.npos) return broken("its boundary does not come");
  at += at == 0 ? first.size() : next.size();
  while (!body.substr(at).starts_with("--")) {
    const auto header = body.find(kLineEnd, at);
    const auto content = body.find("\r\n\r\n", at);
    const auto end = content == body.npos ? body.npos : body.find(next, content + 2);
    if (end == body.npos) return broken("it breaks off");
    const std::string_view shown = disposition(body.substr(header + 2, content - std::min(content, header + 2)));
    const auto name = parameter(shown, "name"), file = parameter(shown, "filename");
    if (name == field && file) {
      const auto begin = std::min(content + 4, end);
      return FormFile{.name = *file, .content = body.substr(begin, end - begin)};
    }
    at = end + next.size();
  }
  return fail(Code::kInvalidArgument, fmt::format("the form has no file \"{}\"", field));
}

}  // namespace tiphys::server

#include "server/argo/artifact_page.h"

#include <fmt/format.h>

#include <set>

#include "base/markup.h"
#include "base/percent.h"
#include "server/content_type.h"

namespace tiphys::server {
namespace {

/// Scripts, forms and frames are off. With "allow-same-origin" a page's pictures, and what it has links to, are asked
/// for with the cookie that opened it; without scripts there is nothing else that a page could do with it.
constexpr std::string_view kPolicy =
    "sandbox allow-same-origin; base-uri 'none'; default-src 'none'; img-src 'self'; "
    "style-src 'self' 'unsafe-inline'";

AnswerHead guarded_head(std::string_view type) {
  return {.content_type = std::string(type),
          .fields = {{"Content-Security-Policy", std::string(kPolicy)},
                     {"X-Frame-Options", "SAMEORIGIN"},
                     {"X-Content-Type-Options", "nosniff"}}};
}

/// RFC 6266: ASCII in quotes, and the name itself where it is more than that.
std::string disposition(std::string_view name) {
  std::string plain;
  bool exact = true;
  for (const char c : name) {
    const bool safe = c >= ' ' && c < 0x7f && c != '"' && c != '\\';
    plain += safe ? c : '_';
    exact = exact && safe;
  }
  if (exact) return fmt::format("filename=\"{}\"", plain);
  return fmt::format("filename=\"{}\"; filename*=UTF-8''{}", plain, percent_encode(name));
}

}  // namespace

AnswerHead artifact_head(std::string_view file_name) {
  AnswerHead head = guarded_head(content_type_of(file_name));
  head.fields.emplace_back("Content-Disposition", disposition(file_name));
  return head;
}

std::string folder_page(std::span<const std::string> files) {
  // A folder once, however many files it has.
  std::set<std::string> entries;
  for (const std::string& file : files) {
    const auto slash = file.find('/');
    entries.insert(slash == file.npos ? file : file.substr(0, slash + 1));
  }
  std::string page = "<html><body><ul>\n<li><a href=\"..\">..</a></li>\n";
  for (const std::string& entry : entries) {
    const bool folder = entry.ends_with('/');
    const std::string_view name = std::string_view(entry).substr(0, entry.size() - (folder ? 1 : 0));
    page += fmt::format("<li><a href=\"./{}{}\">{}</a></li>\n", percent_encode(name), folder ? "/" : "",
                        escape_markup(entry));
  }
  return page + "</ul></body></html>";
}

AnswerHead folder_page_head() {
  return guarded_head("text/html; charset=utf-8");
}

}  // namespace tiphys::server

#include "server/argo/artifact_page.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/markup.h"
#include "base/percent.h"

namespace tiphys::server {
namespace {

/// What browsers and notebooks show by themselves; the rest is bytes.
std::string_view type_of(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {"avif", "image/avif"},
      {"css", "text/css; charset=utf-8"},
      {"csv", "text/csv; charset=utf-8"},
      {"gif", "image/gif"},
      {"gz", "application/gzip"},
      {"htm", "text/html; charset=utf-8"},
      {"html", "text/html; charset=utf-8"},
      {"jpeg", "image/jpeg"},
      {"jpg", "image/jpeg"},
      {"js", "text/javascript; charset=utf-8"},
      {"json", "application/json"},
      {"log", "text/plain; charset=utf-8"},
      {"md", "text/markdown; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"pdf", "application/pdf"},
      {"png", "image/png"},
      {"svg", "image/svg+xml"},
      {"tgz", "application/gzip"},
      {"txt", "text/plain; charset=utf-8"},
      {"wasm", "application/wasm"},
      {"webp", "image/webp"},
      {"xml", "text/xml; charset=utf-8"},
      {"yaml", "application/yaml"},
      {"yml", "application/yaml"},
      {"zip", "application/zip"},
  };
  const auto dot = name.rfind('.');
  const std::string_view extension = dot == name.npos ? std::string_view() : name.substr(dot + 1);
  for (const auto& [known, type] : kTypes) {
    if (extension == known) return type;
  }
  return "application/octet-stream";
}

/// Scripts, forms and frames are off; "sandbox" makes the page an origin of its own.
constexpr std::string_view kPolicy =
    "sandbox; base-uri 'none'; default-src 'none'; img-src 'self'; style-src 'self' 'unsafe-inline'";

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
  AnswerHead head = guarded_head(type_of(file_name));
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

#include "server/ui_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/beneath.h"
#include "base/file.h"
#include "base/percent.h"
#include "server/content_type.h"
#include "server/file_stream.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kIndex = "index.html";

/// First parts of paths that are an API's.
constexpr std::string_view kOfApis[] = {"api",
                                        "apis",
                                        "artifact-files",
                                        "artifacts",
                                        "artifacts-by-uid",
                                        "configz",
                                        "healthz",
                                        "input-artifacts",
                                        "input-artifacts-by-uid",
                                        "livez",
                                        "metrics",
                                        "oauth2",
                                        "openapi",
                                        "readyz",
                                        "version",
                                        "upload-artifacts"};

/// As the original's, but that its pages may show its own widgets. `data:` is what editors underline mistakes with.
AnswerHead head_of(std::string_view name) {
  return {.content_type = std::string(content_type_of(name)),
          .fields = {{"Content-Security-Policy", "default-src 'self' 'unsafe-inline'; img-src 'self' data:"},
                     {"X-Frame-Options", "SAMEORIGIN"},
                     {"X-Content-Type-Options", "nosniff"}}};
}

std::string_view path_of_target(std::string_view target) {
  return target.substr(0, target.find_first_of("?#"));
}

/// Closed where there is no such file.
UniqueFd open_file(const std::string& folder, std::string_view path) {
  const auto name = percent_decode(path, false);
  if (!name || name->empty() || name->find('\0') != name->npos) return {};
  auto file = open_beneath(folder, *name, O_RDONLY | O_NONBLOCK);
  struct stat info{};
  if (!file || ::fstat(file->get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  return std::move(*file);
}

}  // namespace

Result<std::shared_ptr<const UiFiles>> UiFiles::open(std::string folder, std::string_view base_path) {
  const std::string base = base_path == "/" ? "" : fmt::format("<base href=\"{}\">", base_path);
  std::shared_ptr<const UiFiles> files(new UiFiles(std::move(folder), base));
  TIPHYS_CHECK_OK(files->index());
  return files;
}

Result<std::string> UiFiles::index() const {
  TIPHYS_TRY(std::string page, read_whole_file(fmt::format("{}/{}", folder_, kIndex)));
  return base_.empty() ? page : with_base(std::move(page), base_);
}

void UiFiles::serve(Executor& executor, std::string_view target, const std::shared_ptr<Responder>& responder) const {
  std::string_view path = path_of_target(target);
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  UniqueFd file = path == kIndex ? UniqueFd() : open_file(folder_, path);
  if (file) return stream_file(executor, std::move(file), head_of(path), responder);
  auto page = index();
  if (page) return responder->reply(head_of(kIndex), std::move(*page));
  responder->reply(500, "text/plain; charset=utf-8", page.error().message + "\n");
}

bool is_of_ui(std::string_view method, std::string_view target, bool has_authorization) {
  if (method != "GET") return false;
  std::string_view path = path_of_target(target);
  if (path == "/") return !has_authorization;
  if (!path.starts_with('/')) return false;
  path.remove_prefix(path.find_first_not_of('/') == path.npos ? path.size() : path.find_first_not_of('/'));
  return std::ranges::find(kOfApis, path.substr(0, path.find('/'))) == std::end(kOfApis);
}

std::string with_base(std::string page, std::string_view base) {
  constexpr std::string_view kBegin = "<base href=\"", kEnd = "\">";
  for (std::size_t at = 0; (at = page.find(kBegin, at)) != page.npos; at += base.size()) {
    const auto end = page.find(kEnd, at + kBegin.size());
    if (end == page.npos) break;
    page.replace(at, end + kEnd.size() - at, base);
  }
  return page;
}

}  // namespace tiphys::server

#include "node/agent/write_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/unique_fd.h"

namespace tiphys::node {

Status write_file(const std::string& path, std::string_view content, mode_t mode) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno(fmt::format("make {}", path), errno);
  while (!content.empty()) {
    const ssize_t written = ::write(fd.get(), content.data(), content.size());
    if (written < 0) return fail_errno(fmt::format("write {}", path), errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fchmod(fd.get(), mode) != 0) return fail_errno(fmt::format("chmod {}", path), errno);
  return {};
}

Status replace_file(const std::string& path, std::string_view content, mode_t mode) {
  const std::string draft = path + ".new";
  TIPHYS_CHECK_OK(write_file(draft, content, mode));
  if (::rename(draft.c_str(), path.c_str()) != 0) return fail_errno(fmt::format("make {}", path), errno);
  return {};
}

Status make_folder(const std::string& path, mode_t mode) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail_errno(fmt::format("make {}", path), error.value());
  if (::chmod(path.c_str(), mode) != 0) return fail_errno(fmt::format("chmod {}", path), errno);
  return {};
}

}  // namespace tiphys::node

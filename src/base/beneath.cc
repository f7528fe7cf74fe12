#include "base/beneath.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/strings.h"

namespace tiphys {
namespace {

Result<UniqueFd> open_top(const std::string& top) {
  UniqueFd folder(::open(top.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail_errno(top, errno);
  return folder;
}

/// -1 with errno.
int open_from(int top, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // It is asked to try again when a folder was renamed meanwhile.
  for (int attempt = 0;; ++attempt) {
    const int fd = static_cast<int>(::syscall(SYS_openat2, top, path.empty() ? "." : path.c_str(), &how, sizeof how));
    if (fd >= 0 || errno != EAGAIN || attempt == 100) return fd;
  }
}

std::unexpected<Error> failed(const std::string& top, std::string_view path, int number) {
  if (number == EXDEV) return fail(Code::kInvalidArgument, fmt::format("{} leads out of {}", path, top));
  auto failure = fail_errno(fmt::format("{}/{}", top, path), number);
  if (number == ENOTDIR || number == ELOOP) failure.error().code = Code::kFailedPrecondition;
  return failure;
}

}  // namespace

Result<UniqueFd> open_beneath(const std::string& top, std::string_view path, int flags) {
  TIPHYS_TRY(const UniqueFd folder, open_top(top));
  UniqueFd opened(open_from(folder.get(), std::string(path), flags));
  if (!opened) return failed(top, path, errno);
  return opened;
}

Result<UniqueFd> make_folder_beneath(const std::string& top, std::string_view path) {
  TIPHYS_TRY(const UniqueFd folder, open_top(top));
  UniqueFd at(open_from(folder.get(), "", O_PATH | O_DIRECTORY));
  std::string below;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    below += fmt::format("{}{}", below.empty() ? "" : "/", part);
    UniqueFd next(open_from(folder.get(), below, O_PATH | O_DIRECTORY));
    if (!next && errno == ENOENT) {
      if (::mkdirat(at.get(), std::string(part).c_str(), 0777) != 0 && errno != EEXIST) return failed(top, path, errno);
      next.reset(open_from(folder.get(), below, O_PATH | O_DIRECTORY));
    }
    if (!next) return failed(top, path, errno);
    at = std::move(next);
  }
  return at;
}

Result<std::string> path_of(const UniqueFd& opened) {
  std::array<char, PATH_MAX> path;
  const ssize_t length = ::readlink(fmt::format("/proc/self/fd/{}", opened.get()).c_str(), path.data(), path.size());
  if (length <= 0) return fail_errno("find where an open file lies", errno);
  return std::string(path.data(), static_cast<std::size_t>(length));
}

}  // namespace tiphys

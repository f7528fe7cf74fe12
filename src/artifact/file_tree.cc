#include "artifact/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/log.h"

namespace tiphys::artifact {
namespace {

constexpr mode_t kPermissions = 0777;

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

class Walk {
 public:
  Walk(const std::string& name, const std::function<Status(const TreeEntry&)>& visit) : name_(name), visit_(visit) {}

  Status entry(int fd, const std::string& path, int depth) {
    TreeEntry entry{.path = path, .link_target = {}, .fd = fd};
    if (::fstat(fd, &entry.stat) != 0) return fail_errno(shown(path), errno);
    TIPHYS_CHECK_OK(visit_(entry));
    if (!S_ISDIR(entry.stat.st_mode)) return {};
    if (depth == kMostDepth) {
      return fail(Code::kInvalidArgument, fmt::format("{}: folders are nested more than {} deep", name_, kMostDepth));
    }
    TIPHYS_TRY(const auto names, folder_names(fd, shown(path)));
    for (const std::string& name : names) {
      TIPHYS_CHECK_OK(child(fd, name, path.empty() ? name : path + "/" + name, depth));
    }
    return {};
  }

 private:
  std::string shown(const std::string& path) const { return path.empty() ? name_ : name_ + "/" + path; }

  Status child(int folder, const std::string& name, const std::string& path, int depth) {
    TreeEntry told{.path = path, .link_target = {}};
    if (::fstatat(folder, name.c_str(), &told.stat, AT_SYMLINK_NOFOLLOW) != 0) return fail_errno(shown(path), errno);
    switch (told.stat.st_mode & S_IFMT) {
      case S_IFREG:
      case S_IFDIR: {
        // O_NONBLOCK: should a pipe have taken the file's place, the open must not hang.
        UniqueFd fd(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!fd) return fail_errno(shown(path), errno);
        return entry(fd.get(), path, depth + 1);
      }
      case S_IFLNK: {
        std::string target(PATH_MAX, '\0');
        const ssize_t length = ::readlinkat(folder, name.c_str(), target.data(), target.size());
        if (length < 0) return fail_errno(shown(path), errno);
        target.resize(static_cast<std::size_t>(length));
        told.link_target = std::move(target);
        return visit_(told);
      }
      case S_IFSOCK:
        return fail(Code::kInvalidArgument, shown(path) + " is a socket, which no artifact can hold");
      default:
        return visit_(told);
    }
  }

  const std::string& name_;
  const std::function<Status(const TreeEntry&)>& visit_;
};

Status copy_content(int from, int to, const std::string& shown) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  constexpr std::size_t kMostAtOnce = 1u << 30;
  for (bool first = true;; first = false) {
    const ssize_t copied = ::copy_file_range(from, nullptr, to, nullptr, kMostAtOnce, 0);
    if (copied == 0 && !first) return {};
    if (copied > 0) continue;
    if (copied < 0 && errno == EINTR) continue;
    // Some file systems cannot, and some of the kernel's own say 0 for files whose size they do not tell.
    if (copied < 0 && !first) return fail_errno(shown, errno);
    break;
  }
  std::vector<char> buffer(1u << 18);
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(shown, errno);
    if (got == 0) return {};
    for (ssize_t at = 0; at < got;) {
      const ssize_t put = ::write(to, buffer.data() + at, static_cast<std::size_t>(got - at));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail_errno(shown, errno);
      at += put;
    }
  }
}

class Copy {
 public:
  Copy(const std::string& from_name, int to, const std::string& name, bool durable)
      : from_name_(from_name), to_(to), name_(name), durable_(durable) {}

  Status put(const TreeEntry& entry) {
    const std::string path = entry.path.empty() ? name_ : name_ + "/" + entry.path;
    switch (entry.stat.st_mode & S_IFMT) {
      case S_IFREG:
        return file(entry, path);
      case S_IFDIR:
        if (::mkdirat(to_, path.c_str(), 0700) != 0) return fail_errno(path, errno);
        folders_.push_back({path, entry.stat});
        return {};
      case S_IFLNK:
        if (::symlinkat(entry.link_target.c_str(), to_, path.c_str()) != 0) return fail_errno(path, errno);
        return {};
      default:
        log::warn("{}/{} is a pipe or a device and was left out", from_name_, entry.path);
        return {};
    }
  }

  /// Folders get their mode last, since one may forbid writing, and the deepest first.
  Status finish() {
    for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
      const UniqueFd fd(::openat(to_, folder->path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!fd) return fail_errno(folder->path, errno);
      TIPHYS_CHECK_OK(seal(fd.get(), folder->stat, 0700, folder->path));
    }
    return {};
  }

 private:
  struct Folder {
    std::string path;
    struct stat stat;
  };

  Status file(const TreeEntry& entry, const std::string& path) {
    const UniqueFd fd(::openat(to_, path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return fail_errno(path, errno);
    TIPHYS_CHECK_OK(copy_content(entry.fd, fd.get(), path));
    return seal(fd.get(), entry.stat, 0400, path);
  }

  Status seal(int fd, const struct stat& like, mode_t at_least, const std::string& path) {
    if (::fchmod(fd, (like.st_mode & kPermissions) | at_least) != 0) return fail_errno(path, errno);
    const timespec times[2] = {like.st_atim, like.st_mtim};
    if (::futimens(fd, times) != 0) return fail_errno(path, errno);
    if (durable_ && ::fsync(fd) != 0) return fail_errno(path, errno);
    return {};
  }

  const std::string& from_name_;
  int to_;
  const std::string& name_;
  bool durable_;
  std::vector<Folder> folders_;
};

Status remove_content(int folder, const std::string& name, int depth) {
  UniqueFd fd(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno == EACCES && ::fchmodat(folder, name.c_str(), 0700, 0) == 0) {
    fd.reset(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (!fd) return fail_errno(name, errno);
  if (depth > 2 * kMostDepth) return fail(Code::kInvalidArgument, name + ": folders are nested too deep to remove");
  TIPHYS_TRY(const auto names, folder_names(fd.get(), name));
  // A folder that forbids writing to its owner must still go; the system says so below if this does not help.
  if (!names.empty() && ::faccessat(fd.get(), ".", W_OK | X_OK, 0) != 0) ::fchmod(fd.get(), 0700);
  for (const std::string& child : names) {
    if (::unlinkat(fd.get(), child.c_str(), 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR && errno != EPERM) return fail_errno(name + "/" + child, errno);
    TIPHYS_CHECK_OK(remove_content(fd.get(), child, depth + 1));
  }
  if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return fail_errno(name, errno);
  return {};
}

}  // namespace

Result<std::vector<std::string>> folder_names(int folder, const std::string& shown) {
  // fdopendir takes the descriptor over, and the caller's must stay.
  UniqueFd own(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return fail_errno(shown, errno);
  std::unique_ptr<DIR, CloseDir> dir(::fdopendir(own.get()));
  if (!dir) return fail_errno(shown, errno);
  own.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return fail_errno(shown, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<UniqueFd> open_tree(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == ENXIO) return fail(Code::kInvalidArgument, path + " is neither a file nor a folder");
  if (!fd) return fail_errno(path, errno);
  struct stat found{};
  if (::fstat(fd.get(), &found) != 0) return fail_errno(path, errno);
  if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)) {
    return fail(Code::kInvalidArgument, path + " is neither a file nor a folder");
  }
  return fd;
}

Status walk_tree(UniqueFd top, const std::string& name, const std::function<Status(const TreeEntry&)>& visit) {
  return Walk(name, visit).entry(top.get(), "", 0);
}

Status copy_tree(UniqueFd from, const std::string& from_name, int to, const std::string& name, bool durable) {
  Copy copy(from_name, to, name, durable);
  TIPHYS_CHECK_OK(walk_tree(std::move(from), from_name, [&copy](const TreeEntry& entry) { return copy.put(entry); }));
  return copy.finish();
}

Status remove_tree(int folder, const std::string& name) {
  if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT || errno == ENOTDIR) return {};
  if (errno != EISDIR && errno != EPERM) return fail_errno(name, errno);
  return remove_content(folder, name, 0);
}

Status remove_tree(const std::string& path) {
  return remove_tree(AT_FDCWD, path);
}

}  // namespace tiphys::artifact

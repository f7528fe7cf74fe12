#include "node/supervisor/root_pool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "artifact/file_tree.h"
#include "node/init/step_plan.h"

namespace tiphys::node {
namespace {

constexpr std::size_t kMostEmpty = 256;

Status make_folders(const std::string& dir) {
  if (::mkdirat(kDataFd, dir.c_str(), 0755) == 0 || errno == EEXIST) return {};
  const auto slash = dir.rfind('/');
  if (errno != ENOENT || slash == std::string::npos) return fail_errno(fmt::format("make folder {}", dir), errno);
  TIPHYS_CHECK_OK(make_folders(dir.substr(0, slash)));
  if (::mkdirat(kDataFd, dir.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return fail_errno(fmt::format("make folder {}", dir), errno);
}

}  // namespace

std::string RootPool::path(const std::string& name) {
  return fmt::format("{}/{}", kRootPool, name);
}

ino_t RootPool::inode(const std::string& path) {
  struct stat about;
  return ::fstatat(kDataFd, path.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 ? about.st_ino : 0;
}

Status RootPool::open() {
  if (::mkdirat(kDataFd, kRootPool, 0700) == 0) return {};
  if (errno != EEXIST) return fail_errno(fmt::format("make folder {}", kRootPool), errno);
  const UniqueFd folder(::openat(kDataFd, kRootPool, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail_errno(fmt::format("open folder {}", kRootPool), errno);
  TIPHYS_TRY(unclean_, artifact::folder_names(folder.get(), kRootPool));
  return {};
}

Result<std::string> RootPool::take() {
  if (!empty_.empty()) {
    std::string name = std::move(empty_.back());
    empty_.pop_back();
    return name;
  }
  TIPHYS_TRY(std::string name, take_unclean());
  if (!name.empty()) return name;
  return make();
}

/// "" when none is left. One that cannot be cleared is removed.
Result<std::string> RootPool::take_unclean() {
  while (!unclean_.empty()) {
    std::string name = std::move(unclean_.back());
    unclean_.pop_back();
    const std::string path = RootPool::path(name);
    if (clear_root(view_, kDataFd, path.c_str())) return name;
    TIPHYS_CHECK_OK(artifact::remove_tree(kDataFd, path));
  }
  return std::string();
}

Result<std::string> RootPool::make() {
  if (!links_) {
    ::mkdirat(kDataFd, kRootLinks, 0700);
    links_.reset(::openat(kDataFd, kRootLinks, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Without them a root has links of its own.
    if (links_ && !store_links(view_, links_.get())) links_.reset();
  }
  std::string name = fmt::format("w{}-{}", ::getpid(), ++last_name_);
  const std::string path = RootPool::path(name);
  Status made = make_root(view_, kDataFd, path.c_str(), links_.get());
  if (made) return name;
  // A half made one would only be in the way.
  (void)artifact::remove_tree(kDataFd, path);
  return std::unexpected(made.error());
}

void RootPool::give(std::string name) {
  // It is of no use to anybody, and without files.
  if (empty_.size() >= kMostEmpty && artifact::remove_tree(kDataFd, path(name))) return;
  empty_.push_back(std::move(name));
}

void RootPool::give_cleared(std::string name) {
  if (!has_account_folder(kDataFd, path(name).c_str())) return give(std::move(name));
  give_unclean(std::move(name));
}

Status RootPool::move_out(const std::string& name, const std::string& dir) {
  TIPHYS_CHECK_OK(make_folders(dir));
  const std::string from = path(name);
  const std::string to = dir + "/root";
  if (::renameat(kDataFd, from.c_str(), kDataFd, to.c_str()) == 0) return {};
  // Of an earlier start that nobody knows of any more.
  if (errno == EEXIST || errno == ENOTEMPTY) TIPHYS_CHECK_OK(artifact::remove_tree(kDataFd, to));
  if (::renameat(kDataFd, from.c_str(), kDataFd, to.c_str()) == 0) return {};
  return fail_errno(fmt::format("move {} to {}", from, to), errno);
}

}  // namespace tiphys::node

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <vector>

#include "artifact/file_tree.h"
#include "artifact/repository.h"
#include "base/log.h"
#include "base/strings.h"

namespace tiphys::artifact {
namespace {

/// Holds what is being written or thrown away, one folder for each process, which keeps it locked while it lives.
constexpr std::string_view kStaging = ".staging";
constexpr std::size_t kMostKeyBytes = 4096 - 1024;  // leaves PATH_MAX room for the root

/// The parts of a key. Empty and "." parts are dropped, as "a//b/" names what "a/b" does in a folder.
Result<std::vector<std::string>> key_parts(std::string_view key) {
  const auto bad = [key](std::string_view why) {
    return fail(Code::kInvalidArgument, fmt::format("the artifact key \"{}\" cannot be used: {}", key, why));
  };
  if (key.size() > kMostKeyBytes) return bad(fmt::format("it is longer than {} bytes", kMostKeyBytes));
  if (key.starts_with('/')) return bad("it must be relative, without the \"/\" at its start");
  if (key.find('\0') != std::string_view::npos) return bad("it holds a zero byte");
  std::vector<std::string> parts;
  for (const std::string_view part : split(key, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return bad("it must not hold \"..\"");
    if (part.size() > NAME_MAX) return bad(fmt::format("a part is longer than {} bytes", NAME_MAX));
    parts.emplace_back(part);
  }
  if (parts.empty()) return bad("it is empty");
  if (parts.front() == kStaging) return bad(fmt::format("\"{}\" belongs to the repository itself", kStaging));
  return parts;
}

Status sync(int fd, const std::string& shown) {
  if (::fsync(fd) != 0) return fail_errno(shown, errno);
  return {};
}

Result<UniqueFd> open_folder(int parent, const std::string& name) {
  UniqueFd fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return fail_errno(name, errno);
  return fd;
}

/// Opens `name`, made durably if it is missing.
Result<UniqueFd> make_folder(int parent, const std::string& name) {
  if (::mkdirat(parent, name.c_str(), 0777) == 0) {
    TIPHYS_CHECK_OK(sync(parent, name));
  } else if (errno != EEXIST) {
    return fail_errno(name, errno);
  }
  return open_folder(parent, name);
}

class FolderRepository final : public Repository {
 public:
  explicit FolderRepository(std::string root) : root_(std::move(root)) {}

  ~FolderRepository() override {
    if (!staging_) return;
    if (const Status swept = remove_tree(staging_path_); !swept) log::warn("{}", swept.error().message);
  }

  Status save(std::string_view key, const std::string& host_path) override {
    TIPHYS_TRY(const auto parts, key_parts(key));
    TIPHYS_TRY(UniqueFd source, open_tree(host_path));
    TIPHYS_TRY(const int staging, this->staging());
    const std::string staged = fresh_name();
    Status saved = copy_tree(std::move(source), host_path, staging, staged, true);
    if (saved) saved = put_in_place(parts, staging, staged, key);
    const Status swept = remove_tree(staging, staged);
    return saved ? swept : saved;
  }

  Status load(std::string_view key, const std::string& host_path) override {
    TIPHYS_TRY(const auto parts, key_parts(key));
    TIPHYS_TRY(UniqueFd source, open_object(parts, key));
    struct stat there{};
    if (::lstat(host_path.c_str(), &there) == 0) return fail(Code::kAlreadyExists, host_path + " exists already");
    Status loaded = copy_tree(std::move(source), local_path(key), AT_FDCWD, host_path, false);
    if (loaded) return loaded;
    if (const Status swept = remove_tree(host_path); !swept) loaded.error().message += "; " + swept.error().message;
    return loaded;
  }

  Result<std::vector<std::string>> list(std::string_view key) override {
    UniqueFd top;
    std::vector<std::string> parts;
    if (key.empty()) {
      top.reset(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!top && errno == ENOENT) return std::vector<std::string>();
      if (!top) return fail_errno(root_, errno);
    } else {
      TIPHYS_TRY(parts, key_parts(key));
      TIPHYS_TRY(top, open_object(parts, key));
    }
    const std::string prefix = parts.empty() ? "" : join(parts, "/") + "/";
    std::vector<std::string> keys;
    TIPHYS_CHECK_OK(walk_tree(std::move(top), local_path(key), [&](const TreeEntry& entry) -> Status {
      const bool own = prefix.empty() && (entry.path + "/").starts_with(std::string(kStaging) + "/");
      if (S_ISREG(entry.stat.st_mode) && !entry.path.empty() && !own) keys.push_back(prefix + entry.path);
      return {};
    }));
    std::ranges::sort(keys);
    return keys;
  }

  Status remove(std::string_view key) override {
    TIPHYS_TRY(const auto parts, key_parts(key));
    TIPHYS_TRY(const int staging, this->staging());
    const std::string staged = fresh_name();
    {
      const std::lock_guard lock(names_);
      TIPHYS_TRY(const auto folders, open_parents(parts, false));
      // A missing parent is a missing object.
      if (folders.size() < parts.size()) return {};
      if (::renameat(folders.back().get(), parts.back().c_str(), staging, staged.c_str()) != 0) {
        if (errno == ENOENT) return {};
        return fail_errno(std::string(key), errno);
      }
      std::size_t kept = folders.size() - 1;
      while (kept > 0 && ::unlinkat(folders[kept - 1].get(), parts[kept - 1].c_str(), AT_REMOVEDIR) == 0) --kept;
      TIPHYS_CHECK_OK(sync(folders[kept].get(), std::string(key)));
    }
    return remove_tree(staging, staged);
  }

  std::string local_path(std::string_view key) const override {
    const auto parts = key_parts(key);
    return parts ? root_ + "/" + join(*parts, "/") : "";
  }

 private:
  /// The folders above an object, the root first. Without `make` the list ends at the first that is missing.
  Result<std::vector<UniqueFd>> open_parents(const std::vector<std::string>& parts, bool make) {
    std::vector<UniqueFd> folders;
    UniqueFd root(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) return fail_errno(root_, errno);
    folders.push_back(std::move(root));
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      auto next = make ? make_folder(folders.back().get(), parts[i]) : open_folder(folders.back().get(), parts[i]);
      if (!next && !make && next.error().code == Code::kNotFound) break;
      if (!next) {
        return fail(Code::kFailedPrecondition,
                    fmt::format("the artifact key \"{}\" leads through \"{}\", which is no folder ({})",
                                join(parts, "/"), parts[i], next.error().message));
      }
      folders.push_back(std::move(*next));
    }
    return folders;
  }

  Result<UniqueFd> open_object(const std::vector<std::string>& parts, std::string_view key) {
    const auto missing = [&] {
      return fail(Code::kNotFound, fmt::format("there is no artifact \"{}\" in {}", key, root_));
    };
    struct stat there{};
    if (::stat(root_.c_str(), &there) != 0 && errno == ENOENT) return missing();
    auto folders = open_parents(parts, false);
    if (!folders && folders.error().code == Code::kFailedPrecondition) return missing();
    if (!folders) return std::unexpected(folders.error());
    if (folders->size() < parts.size()) return missing();
    UniqueFd fd(::openat(folders->back().get(), parts.back().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd && (errno == ENOENT || errno == ELOOP || errno == ENXIO)) return missing();
    if (!fd) return fail_errno(std::string(key), errno);
    return fd;
  }

  Status put_in_place(const std::vector<std::string>& parts, int staging, const std::string& staged,
                      std::string_view key) {
    const std::lock_guard lock(names_);
    TIPHYS_TRY(const auto folders, open_parents(parts, true));
    const int parent = folders.back().get();
    const char* name = parts.back().c_str();
    if (::renameat(staging, staged.c_str(), parent, name) != 0) {
      // A folder is replaced by changing places with it, so that the key is never without its object.
      if (errno != ENOTEMPTY && errno != EEXIST && errno != EISDIR && errno != ENOTDIR) {
        return fail_errno(std::string(key), errno);
      }
      if (::renameat2(staging, staged.c_str(), parent, name, RENAME_EXCHANGE) != 0) {
        return fail_errno(std::string(key), errno);
      }
    }
    return sync(parent, std::string(key));
  }

  std::string fresh_name() { return std::to_string(next_name_.fetch_add(1)); }

  /// This process's staging folder, made at first use; those of processes that are gone are swept then.
  Result<int> staging() {
    const std::lock_guard lock(names_);
    if (staging_) return staging_.get();
    if (::mkdir(root_.c_str(), 0777) != 0 && errno != EEXIST) return fail_errno(root_, errno);
    TIPHYS_TRY(const UniqueFd root, open_folder(AT_FDCWD, root_));
    TIPHYS_TRY(const UniqueFd all, make_folder(root.get(), std::string(kStaging)));
    // Nobody may sweep a new folder before its owner has locked it.
    if (::flock(all.get(), LOCK_EX) != 0) return fail_errno(root_, errno);
    TIPHYS_CHECK_OK(sweep_staging(all.get()));
    std::string name = root_ + "/" + std::string(kStaging) + "/XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) return fail_errno(name, errno);
    TIPHYS_TRY(UniqueFd own, open_folder(AT_FDCWD, name));
    if (::flock(own.get(), LOCK_EX | LOCK_NB) != 0) return fail_errno(name, errno);
    staging_ = std::move(own);
    staging_path_ = name;
    return staging_.get();
  }

  Status sweep_staging(int all) {
    TIPHYS_TRY(const auto names, folder_names(all, root_));
    for (const std::string& name : names) {
      const UniqueFd one(::openat(all, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (one && ::flock(one.get(), LOCK_EX | LOCK_NB) == 0) TIPHYS_CHECK_OK(remove_tree(all, name));
    }
    return {};
  }

  const std::string root_;
  std::mutex names_;  ///< held while folders are made for an object or removed after one, and for staging_
  UniqueFd staging_;
  std::string staging_path_;
  std::atomic<std::uint64_t> next_name_{1};
};

}  // namespace

std::unique_ptr<Repository> make_folder_repository(std::string root) {
  return std::make_unique<FolderRepository>(std::move(root));
}

}  // namespace tiphys::artifact

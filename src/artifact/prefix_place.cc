#include "artifact/prefix_place.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "artifact/file_tree.h"

namespace tiphys::artifact {
namespace {

namespace fs = std::filesystem;

/// "a//b/" as the folder "a/b/"; "" is all there is.
std::string folder_prefix(std::string_view key) {
  if (key.empty()) return "";
  const std::string clean = fs::path(key).lexically_normal().string();
  return clean.ends_with('/') ? clean : clean + "/";
}

}  // namespace

Status PrefixPlace::load(const std::string& host_path) {
  return told(attempts([&] { return try_load(host_path); }));
}

Status PrefixPlace::save(const std::string& host_path) {
  return told(attempts([&] { return try_save(host_path); }));
}

Status PrefixPlace::remove() {
  return told(attempts([&] { return try_remove(); }));
}

Result<std::vector<std::string>> PrefixPlace::list() {
  std::vector<std::string> keys;
  const Status listed = attempts([&] {
    keys.clear();
    Attempt attempt = list_files(keys);
    if (!attempt.status || !keys.empty()) return attempt;
    attempt = find(key_);
    if (!attempt.status && attempt.status.error().code == Code::kNotFound) {
      attempt.status = fail(Code::kNotFound, fmt::format("no key found of name {}", key_));
    }
    return attempt;
  });
  if (!listed) return std::unexpected(listed.error().code == Code::kNotFound ? listed.error() : told(listed).error());
  std::ranges::sort(keys);
  return keys;
}

Status PrefixPlace::told(Status status) const {
  if (status) return status;
  Error error = std::move(status).error();
  error.message += fmt::format(" (key \"{}\" in {})", key_, shown());
  return std::unexpected(std::move(error));
}

Attempt PrefixPlace::try_load(const std::string& host_path) {
  Attempt file = load_file(key_, host_path);
  if (file.status || file.status.error().code != Code::kNotFound) return file;
  // It may be a folder.
  std::vector<std::string> keys;
  Attempt listed = list_below(keys);
  if (!listed.status) return listed;
  if (keys.empty()) return file;
  return load_folder(keys, host_path);
}

Attempt PrefixPlace::load_file(const std::string& key, const std::string& host_path) {
  ReceivedFile file(host_path);
  Attempt attempt = get(key, file);
  if (!file.status()) return {file.status()};
  if (attempt.status) attempt.status = file.keep();
  return attempt;
}

Attempt PrefixPlace::load_folder(const std::vector<std::string>& keys, const std::string& host_path) {
  const std::string prefix = folder_prefix(key_);
  TreeBelow tree(host_path);
  for (const std::string& key : keys) {
    const std::string_view relative = std::string_view(key).substr(prefix.size());
    if (key.ends_with('/')) {
      if (const Status made = tree.folder(relative); !made) return {made};
      continue;
    }
    const auto target = tree.file(relative);
    if (!target) return {std::unexpected(target.error())};
    Attempt one = load_file(key, *target);
    if (!one.status) return {std::unexpected(one.status.error().in("failed to get directory")), one.passes};
  }
  tree.keep();
  return {};
}

Attempt PrefixPlace::list_files(std::vector<std::string>& keys) {
  Attempt listed = list_prefix(folder_prefix(key_), keys);
  // Consoles keep folders as empty objects.
  std::erase_if(keys, [](const std::string& key) { return key.ends_with('/'); });
  return listed;
}

/// With the folders, where the store keeps them.
Attempt PrefixPlace::list_below(std::vector<std::string>& keys) {
  return keeps_folders() ? list_prefix(folder_prefix(key_), keys) : list_files(keys);
}

Attempt PrefixPlace::try_save(const std::string& host_path) {
  if (Attempt ready = prepare(); !ready.status) return ready;
  struct stat about{};
  if (::stat(host_path.c_str(), &about) != 0) return {fail_errno(host_path, errno)};
  if (S_ISREG(about.st_mode)) return put(key_, host_path, static_cast<std::uint64_t>(about.st_size));
  auto top = open_tree(host_path);
  if (!top) return {std::unexpected(top.error())};
  Attempt last;
  const Status walked = walk_tree(std::move(*top), host_path, [&](const TreeEntry& entry) -> Status {
    const std::string key = (fs::path(key_) / entry.path).lexically_normal().string();
    if (S_ISDIR(entry.stat.st_mode)) last = put_folder(key.ends_with('/') ? key : key + "/");
    if (!S_ISREG(entry.stat.st_mode)) return last.status;
    last = put(key, host_path + "/" + entry.path, static_cast<std::uint64_t>(entry.stat.st_size));
    return last.status;
  });
  if (!last.status) return {std::unexpected(last.status.error().in("failed to put directory")), last.passes};
  return {walked};
}

Attempt PrefixPlace::try_remove() {
  std::vector<std::string> keys{key_};
  if (key_.ends_with('/')) {
    keys.clear();
    if (Attempt listed = list_below(keys); !listed.status) return listed;
  }
  for (const std::string& key : keys) {
    Attempt one = erase(key);
    if (!one.status && one.status.error().code != Code::kNotFound) return one;
  }
  return {};
}

}  // namespace tiphys::artifact

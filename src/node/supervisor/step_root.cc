#include "node/supervisor/step_root.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "artifact/file_tree.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "node/runtime.h"

namespace tiphys::node {
namespace {

constexpr std::array kShown = {"usr",    "bin", "sbin", "lib", "lib32", "lib64",
                               "libx32", "etc", "opt",  "nix", "gnu",   "snap"};

struct Folder {
  std::string path;  ///< "" is the root itself
  mode_t mode;
  bool covered;  ///< a mount hides it from the step
};

/// Each folder after its parent.
std::vector<Folder> folders_of(const HostView& view) {
  // Few on purpose: some file systems take long to find a free inode.
  std::vector<Folder> folders = {
      {"", 0755, false},        {"proc", 0555, true},          {"dev", 0755, true},   {"sys", 0555, true},
      {"tmp", 01777, false},    {"var", 0755, false},          {"root", 0700, false}, {"mnt", 0755, false},
      {"var/run", 0755, false}, {"var/run/argo", 01777, false}};
  const auto add = [&](std::string_view path, bool covered) {
    const auto known = std::ranges::find(folders, path, &Folder::path);
    if (known == folders.end()) folders.push_back({std::string(path), 0755, covered});
  };
  for (const std::string& shown : view.folders) {
    for (auto slash = shown.find('/'); slash != std::string::npos; slash = shown.find('/', slash + 1)) {
      add(std::string_view(shown).substr(0, slash), false);
    }
    add(shown, true);
  }
  return folders;
}

/// What a root has beside these only where kAccountFolder is shown.
std::vector<Folder> account_folders() {
  std::vector<Folder> folders;
  const std::string_view path = kAccountFolder.substr(1);
  for (auto slash = path.find('/', std::string_view("var/run/").size()); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    folders.push_back({std::string(path.substr(0, slash)), 0755, false});
  }
  folders.push_back({std::string(path), 0755, false});
  return folders;
}

using Links = std::vector<std::pair<std::string, std::string>>;

Links links_of(const HostView& view) {
  Links links = view.links;
  links.emplace_back("var/tmp", "/tmp");
  return links;
}

/// The name of a link in the folder of links.
std::string stored_name(std::string name) {
  std::ranges::replace(name, '/', '_');
  return name;
}

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

Result<UniqueFd> open_folder(int parent, const char* name) {
  UniqueFd folder(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return fail_errno(fmt::format("open folder {}", name), errno);
  return folder;
}

Status make_folder(int root, const Folder& folder) {
  if (::mkdirat(root, folder.path.c_str(), folder.mode) != 0) {
    return fail_errno(fmt::format("make folder {} of a step's root", folder.path), errno);
  }
  // mkdir leaves out what the umask holds.
  if ((folder.mode & 02) != 0 && ::fchmodat(root, folder.path.c_str(), folder.mode, 0) != 0) {
    return fail_errno(fmt::format("set the mode of {} of a step's root", folder.path), errno);
  }
  return {};
}

/// The names that a folder of an empty root holds.
std::vector<std::string> kept_names(const HostView& view, const std::vector<Folder>& folders, std::string_view path) {
  std::vector<std::string> names;
  for (const Folder& folder : folders) {
    if (!folder.path.empty() && parent_of(folder.path) == path) {
      names.push_back(folder.path.substr(path.empty() ? 0 : path.size() + 1));
    }
  }
  for (const auto& [name, target] : links_of(view)) {
    if (parent_of(name) == path) names.push_back(name.substr(path.empty() ? 0 : path.size() + 1));
  }
  return names;
}

Status clear_folder(int root, const Folder& folder, const std::vector<std::string>& kept) {
  TIPHYS_TRY(const UniqueFd open, open_folder(root, folder.path.empty() ? "." : folder.path.c_str()));
  struct stat about;
  if (::fstat(open.get(), &about) != 0) return fail_errno("look at a step's root", errno);
  if ((about.st_mode & 07777) != folder.mode && ::fchmod(open.get(), folder.mode) != 0) {
    return fail_errno("set the mode of a folder of a step's root", errno);
  }
  if (about.st_uid != ::geteuid() && ::fchown(open.get(), ::geteuid(), ::getegid()) != 0) {
    return fail_errno("take back a folder of a step's root", errno);
  }
  TIPHYS_TRY(const auto names, artifact::folder_names(open.get(), folder.path));
  for (const std::string& name : names) {
    if (std::ranges::find(kept, name) != kept.end()) continue;
    TIPHYS_CHECK_OK(artifact::remove_tree(open.get(), name));
  }
  return {};
}

/// Those that are there, and folders.
void add_account_folders(int root, std::vector<Folder>& folders) {
  for (Folder& folder : account_folders()) {
    struct stat about;
    if (::fstatat(root, folder.path.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(about.st_mode)) return;
    folders.push_back(std::move(folder));
  }
}

bool leads_to(int folder, const std::string& name, const std::string& target) {
  std::array<char, PATH_MAX> found;
  const ssize_t length = ::readlinkat(folder, name.c_str(), found.data(), found.size());
  return length >= 0 && std::string_view(found.data(), static_cast<std::size_t>(length)) == target;
}

Status restore_link(int folder, const std::string& name, const std::string& target) {
  if (leads_to(folder, name, target)) return {};
  TIPHYS_CHECK_OK(artifact::remove_tree(folder, name));
  if (::symlinkat(target.c_str(), folder, name.c_str()) != 0) return fail_errno("link in a step's root", errno);
  return {};
}

/// Where /etc/resolv.conf leads when that is outside the shown folders: name resolution needs it.
void show_resolver(HostView& view) {
  const std::unique_ptr<char, decltype(&::free)> real(::realpath("/etc/resolv.conf", nullptr), &::free);
  if (!real || view.covers(real.get())) return;
  const std::string_view folder = parent_of(std::string_view(real.get()).substr(1));
  if (!folder.empty()) view.folders.emplace_back(folder);
}

}  // namespace

HostView HostView::detect() {
  HostView view;
  for (const char* name : kShown) {
    const std::string path = std::string("/") + name;
    struct stat about;
    if (::lstat(path.c_str(), &about) != 0) continue;
    if (S_ISDIR(about.st_mode)) {
      view.folders.emplace_back(name);
    } else if (S_ISLNK(about.st_mode)) {
      std::array<char, PATH_MAX> target;
      const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
      if (length > 0) view.links.emplace_back(name, std::string(target.data(), static_cast<std::size_t>(length)));
    }
  }
  show_resolver(view);
  return view;
}

bool HostView::covers(std::string_view path) const {
  const auto below = [&](std::string_view top) {
    return path.size() > top.size() && path.substr(1, top.size()) == top &&
           (path.size() == top.size() + 1 || path[top.size() + 1] == '/');
  };
  return std::ranges::any_of(folders, below) ||
         std::ranges::any_of(links, [&](const auto& link) { return below(link.first); });
}

std::vector<std::string> own_folders(const HostView& view) {
  std::vector<std::string> own;
  for (const Folder& folder : folders_of(view)) {
    if (!folder.covered) own.push_back("/" + folder.path);
  }
  return own;
}

std::vector<std::string> account_parents() {
  std::vector<std::string> parents;
  for (const Folder& folder : account_folders()) parents.push_back("/" + folder.path);
  parents.pop_back();
  return parents;
}

bool has_account_folder(int parent, const char* name) {
  const std::string path = fmt::format("{}/{}", name, account_folders().front().path);
  struct stat about;
  return ::fstatat(parent, path.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0;
}

Status store_links(const HostView& view, int folder) {
  for (const auto& [link, target] : links_of(view)) TIPHYS_CHECK_OK(restore_link(folder, stored_name(link), target));
  return {};
}

Status make_root(const HostView& view, int parent, const char* name, int links) {
  if (::mkdirat(parent, name, 0755) != 0) return fail_errno(fmt::format("make folder {}", name), errno);
  TIPHYS_TRY(const UniqueFd root, open_folder(parent, name));
  for (const Folder& folder : folders_of(view)) {
    if (!folder.path.empty()) TIPHYS_CHECK_OK(make_folder(root.get(), folder));
  }
  for (const auto& [link, target] : links_of(view)) {
    // A second name of a link costs no inode, until there are too many.
    if (links >= 0 && ::linkat(links, stored_name(link).c_str(), root.get(), link.c_str(), 0) == 0) continue;
    if (::symlinkat(target.c_str(), root.get(), link.c_str()) != 0) {
      return fail_errno(fmt::format("make link {} of a step's root", link), errno);
    }
  }
  return {};
}

Status clear_root(const HostView& view, int parent, const char* name, bool keep_account) {
  TIPHYS_TRY(const UniqueFd root, open_folder(parent, name));
  std::vector<Folder> folders = folders_of(view);
  if (keep_account) add_account_folders(root.get(), folders);
  for (const Folder& folder : folders) {
    struct stat about;
    if (!folder.path.empty() && ::fstatat(root.get(), folder.path.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) return fail_errno("look at a step's root", errno);
      TIPHYS_CHECK_OK(make_folder(root.get(), folder));
    }
    if (!folder.covered) TIPHYS_CHECK_OK(clear_folder(root.get(), folder, kept_names(view, folders, folder.path)));
  }
  for (const auto& [link, target] : links_of(view)) TIPHYS_CHECK_OK(restore_link(root.get(), link, target));
  return {};
}

}  // namespace tiphys::node

#include "node/container_path.h"

#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>

#include "base/strings.h"

namespace tiphys::node {
namespace {

constexpr int kMostLinks = 40;

void push_front(std::deque<std::string>& parts, std::string_view path) {
  std::deque<std::string> added;
  for (const std::string_view part : split(path, '/')) {
    if (!part.empty() && part != ".") added.emplace_back(part);
  }
  parts.insert(parts.begin(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
}

/// `inside` is without links: absolute, no "..", "" for the root.
std::string on_host(const std::string& root, const std::vector<Mount>& mounts, const std::string& inside) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    const bool covers =
        inside.starts_with(mount.path) && (inside.size() == mount.path.size() || inside[mount.path.size()] == '/');
    if (covers && (!best || mount.path.size() >= best->path.size())) best = &mount;
  }
  return best ? best->host_path + inside.substr(best->path.size()) : root + inside;
}

}  // namespace

Result<std::string> host_path_of(const std::string& root, const std::vector<Mount>& mounts, std::string_view path) {
  const auto missing = [&] { return fail(Code::kNotFound, fmt::format("{}: no such file or directory", path)); };
  std::deque<std::string> parts;
  push_front(parts, path);
  std::string inside;
  int links = 0;
  while (!parts.empty()) {
    const std::string part = std::move(parts.front());
    parts.pop_front();
    if (part == "..") {
      inside.resize(inside.empty() ? 0 : inside.rfind('/'));
      continue;
    }
    const std::string next = inside + "/" + part;
    const std::string host = on_host(root, mounts, next);
    // Where a mount begins the step sees what it was made from, never a link.
    const bool mounted = std::ranges::find(mounts, next, &Mount::path) != mounts.end();
    struct stat about;
    if ((mounted ? ::stat(host.c_str(), &about) : ::lstat(host.c_str(), &about)) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return missing();
      return fail_errno(fmt::format("look at {} of the step", path), errno);
    }
    if (!S_ISLNK(about.st_mode)) {
      if (!parts.empty() && !S_ISDIR(about.st_mode)) return missing();
      inside = next;
      continue;
    }
    if (++links > kMostLinks) return fail(Code::kFailedPrecondition, fmt::format("{}: too many symbolic links", path));
    std::array<char, PATH_MAX> target;
    const ssize_t length = ::readlink(host.c_str(), target.data(), target.size());
    if (length <= 0) return missing();
    const std::string_view to(target.data(), static_cast<std::size_t>(length));
    if (to.front() == '/') inside.clear();
    push_front(parts, to);
  }
  return on_host(root, mounts, inside);
}

}  // namespace tiphys::node

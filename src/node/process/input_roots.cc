#include "node/process/input_roots.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "artifact/file_tree.h"
#include "base/unique_fd.h"

namespace tiphys::node {
namespace {

constexpr std::size_t kMostKept = 32;

/// Empty while nobody has made the folder.
std::vector<std::string> names_in(const std::string& folder) {
  const UniqueFd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return {};
  return artifact::folder_names(opened.get(), folder).value_or(std::vector<std::string>());
}

}  // namespace

InputRoots::InputRoots(HostView view, const std::string& data_dir, std::int64_t generation)
    : view_(std::move(view)),
      folder_(data_dir + "/supervisor/input-roots"),
      generation_(fmt::format("{}-", generation)) {}

Status InputRoots::take(const std::string& path) const {
  if (take_kept(path)) return {};
  return make_root(view_, AT_FDCWD, path.c_str());
}

bool InputRoots::take_kept(const std::string& path) const {
  for (const std::string& name : names_in(folder_)) {
    // Another thread may be quicker.
    if (::rename((folder_ + "/" + name).c_str(), path.c_str()) != 0) continue;
    // An earlier process may have known another host, or a later version's folders.
    if (name.starts_with(generation_) || clear_root(view_, AT_FDCWD, path.c_str())) return true;
    if (!artifact::remove_tree(path)) return false;
  }
  return false;
}

bool InputRoots::give(const std::string& path) {
  if (names_in(folder_).size() >= kMostKept) return false;
  const std::string kept = fmt::format("{}/{}{}", folder_, generation_, ++last_name_);
  if (::rename(path.c_str(), kept.c_str()) == 0) return true;
  return errno == ENOENT && ::mkdir(folder_.c_str(), 0700) == 0 && ::rename(path.c_str(), kept.c_str()) == 0;
}

}  // namespace tiphys::node

#include "node/supervisor/held_folders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tiphys::node {
namespace {

/// Relative to kHeldFolder.
std::string path_of(const std::string& folder, std::size_t index) {
  return fmt::format("{}/{}", folder, index);
}

std::unexpected<Error> failed(std::string_view path) {
  return fail_errno(fmt::format("keep {} of a step in memory", path), errno);
}

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(file, content.data(), content.size());
    if (count < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Over what is there: a file that is bound keeps its inode.
Status overwrite(int top, const std::string& path, const HeldFiles::File& file, std::string_view shown) {
  const UniqueFd fd(::openat(top, path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd || !write_all(fd.get(), file.content) ||
      ::ftruncate(fd.get(), static_cast<off_t>(file.content.size())) != 0 ||
      ::fchmod(fd.get(), file.mode & 07777) != 0) {
    return failed(shown);
  }
  return {};
}

}  // namespace

Status HeldFolders::open() {
  top_.reset(::open(kHeldFolder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top_) return failed("files");
  return {};
}

std::string HeldFolders::source(const std::string& folder, std::size_t index) {
  return fmt::format("{}/{}", kHeldFolder, path_of(folder, index));
}

bool HeldFolders::may_stay(std::string_view path) {
  return path == kAccountFolder || path == kHostsFile;
}

Result<std::string> HeldFolders::take(const std::vector<HeldFiles>& held) {
  std::string folder = std::to_string(++last_name_);
  Places places;
  if (Status made = make(folder, held, places); !made) {
    remove(folder, places);
    return std::unexpected(made.error());
  }
  folders_.emplace(folder, std::move(places));
  return folder;
}

Status HeldFolders::make(const std::string& folder, const std::vector<HeldFiles>& held, Places& places) {
  if (::mkdirat(top_.get(), folder.c_str(), 0700) != 0) return failed("files");
  for (std::size_t i = 0; i < held.size(); ++i) {
    Place& place = places.emplace_back();
    place.path = held[i].path;
    place.is_file = held[i].files.size() == 1 && held[i].files.front().name.empty();
    if (!place.is_file && ::mkdirat(top_.get(), path_of(folder, i).c_str(), 0755) != 0) return failed(place.path);
    for (const HeldFiles::File& file : held[i].files) TIPHYS_CHECK_OK(write(folder, i, place, file));
  }
  return {};
}

Status HeldFolders::write(const std::string& folder, std::size_t index, Place& place, const HeldFiles::File& file) {
  const std::string path = path_of(folder, index);
  if (place.is_file) return overwrite(top_.get(), path, file, place.path);
  if (file.name.empty() || file.name.contains('/')) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no name of a file in {}", file.name, place.path));
  }
  // In one piece, and beside the folder until then.
  const std::string draft = folder + "/draft";
  TIPHYS_CHECK_OK(overwrite(top_.get(), draft, file, place.path));
  if (::renameat(top_.get(), draft.c_str(), top_.get(), fmt::format("{}/{}", path, file.name).c_str()) != 0) {
    return failed(place.path);
  }
  if (std::ranges::find(place.names, file.name) == place.names.end()) place.names.push_back(file.name);
  return {};
}

Status HeldFolders::fill(const std::string& folder, const std::vector<HeldFiles>& held) {
  Places& places = folders_.at(folder);
  for (std::size_t i = 0; i < held.size(); ++i) {
    for (const HeldFiles::File& file : held[i].files) TIPHYS_CHECK_OK(write(folder, i, places[i], file));
  }
  return {};
}

Status HeldFolders::renew(const std::string& folder, const HeldFiles& files) {
  const auto known = folders_.find(folder);
  if (known != folders_.end()) {
    Places& places = known->second;
    const auto place = std::ranges::find(places, files.path, &Place::path);
    if (place != places.end()) {
      const auto index = static_cast<std::size_t>(place - places.begin());
      for (const HeldFiles::File& file : files.files) TIPHYS_CHECK_OK(write(folder, index, *place, file));
      return {};
    }
  }
  return fail(Code::kNotFound, fmt::format("the step has no {} in memory", files.path));
}

void HeldFolders::clear(const std::string& folder) {
  const auto known = folders_.find(folder);
  if (known == folders_.end()) return;
  for (std::size_t i = 0; i < known->second.size(); ++i) {
    Place& place = known->second[i];
    const std::string path = path_of(folder, i);
    // A bound file stays: the next step's content comes into it.
    if (place.is_file) UniqueFd(::openat(top_.get(), path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    for (const std::string& name : place.names) ::unlinkat(top_.get(), fmt::format("{}/{}", path, name).c_str(), 0);
    place.names.clear();
  }
}

void HeldFolders::remove(const std::string& folder, const Places& places) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::string path = path_of(folder, i);
    for (const std::string& name : places[i].names) ::unlinkat(top_.get(), fmt::format("{}/{}", path, name).c_str(), 0);
    ::unlinkat(top_.get(), path.c_str(), places[i].is_file ? 0 : AT_REMOVEDIR);
  }
  ::unlinkat(top_.get(), (folder + "/draft").c_str(), 0);
  ::unlinkat(top_.get(), folder.c_str(), AT_REMOVEDIR);
}

void HeldFolders::give(const std::string& folder) {
  const auto known = folders_.find(folder);
  if (known == folders_.end()) return;
  remove(folder, known->second);
  folders_.erase(known);
}

bool HeldFolders::fits(const std::string& folder, const std::vector<HeldFiles>& held) const {
  if (folder.empty()) return held.empty();
  const auto known = folders_.find(folder);
  return known != folders_.end() && std::ranges::equal(known->second, held, {}, &Place::path, &HeldFiles::path);
}

}  // namespace tiphys::node

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "artifact/file_tree.h"
#include "artifact/repository.h"
#include "base/unique_fd.h"
#include "doc/utf8.h"
#include "fuzz/targets.h"

namespace tiphys::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 1 << 16;
constexpr std::string_view kSecret = "not to be touched";

/// A folder with a place to unpack to and, beside it, what nobody may reach.
class Sandbox {
 public:
  Sandbox() {
    std::string pattern = (fs::temp_directory_path() / "fuzz_archive.XXXXXX").string();
    TIPHYS_CHECK(::mkdtemp(pattern.data()), "there is room for a folder");
    root_ = pattern;
    fs::create_directory(root_ + "/outside");
    std::ofstream(root_ + "/outside/file") << kSecret;
  }
  ~Sandbox() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  std::string target() const { return root_ + "/target"; }
  std::string archive() const { return root_ + "/again"; }
  /// Nothing but the target may have come.
  void check(bool unpacked) const {
    std::ifstream file(root_ + "/outside/file");
    TIPHYS_CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == kSecret, "what lies outside stays");
    TIPHYS_CHECK(entries(root_ + "/outside") == 1, "nothing comes to what lies outside");
    TIPHYS_CHECK(entries(root_) == (unpacked ? 2 : 1), "all of it, or nothing");
  }

 private:
  static std::ptrdiff_t entries(const std::string& folder) {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
  }

  std::string root_;
};

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto [rest, _] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return rest == folder.end();
}

/// "KIND CONTENT" of each path, of which none is a device or leads out.
std::map<std::string, std::string> tree(const fs::path& top) {
  std::map<std::string, std::string> found;
  std::uint64_t bytes = 0;
  std::set<ino_t> counted;  ///< a file with several names has its bytes once
  const auto add = [&](const fs::path& path) {
    const std::string name = path.lexically_relative(top).string();
    const auto status = fs::symlink_status(path);
    if (fs::is_symlink(status)) {
      const fs::path leads = fs::read_symlink(path);
      TIPHYS_CHECK(leads.is_relative(), "a link leads to a place in the target");
      std::error_code loops;
      const fs::path place = fs::weakly_canonical(path.parent_path() / leads, loops);
      TIPHYS_CHECK(loops || is_below(place, fs::canonical(top)), "a link leads to a place in the target");
      found[name] = "link " + leads.string();
    } else if (fs::is_regular_file(status)) {
      std::ifstream file(path, std::ios::binary);
      const std::string content(std::istreambuf_iterator<char>(file), {});
      struct stat file_status{};
      TIPHYS_CHECK(::lstat(path.c_str(), &file_status) == 0, "what is listed is there");
      if (counted.insert(file_status.st_ino).second) bytes += content.size();
      found[name] = "file " + content;
    } else {
      TIPHYS_CHECK(fs::is_directory(status), "there are files, folders and links");
      found[name] = "folder";
    }
  };
  add(top);
  if (fs::is_directory(fs::symlink_status(top))) {
    for (const auto& entry : fs::recursive_directory_iterator(top)) add(entry.path());
  }
  TIPHYS_CHECK(bytes <= kMostBytes, "the bound on bytes holds");
  return found;
}

void pack_again(const Sandbox& sandbox, const std::map<std::string, std::string>& content,
                Status (*pack)(const std::string& from, const std::string& to)) {
  const Status packed = pack(sandbox.target(), sandbox.archive());
  TIPHYS_CHECK(packed, "what was unpacked can be packed");
  TIPHYS_CHECK(artifact::is_archive(sandbox.archive()), "what is packed is an archive");
  const std::string again = sandbox.target() + ".again";
  const Status unpacked = artifact::unpack(sandbox.archive(), again, 1 << 28);
  TIPHYS_CHECK(unpacked, "what is packed can be unpacked");
  TIPHYS_CHECK(tree(again) == content, "what is packed comes out the same");
  TIPHYS_CHECK(artifact::remove_tree(again), "it can be removed");
  fs::remove(sandbox.archive());
}

Status pack_tar_gz(const std::string& from, const std::string& to) {
  return artifact::pack_tar_gz(from, to, 1);
}

bool is_text(const std::pair<const std::string, std::string>& entry) {
  const bool is_link = entry.second.starts_with("link");
  return doc::is_utf8(entry.first) && (!is_link || doc::is_utf8(entry.second));
}

void archive(std::string_view input) {
  const UniqueFd file(::memfd_create("archive", MFD_CLOEXEC));
  TIPHYS_CHECK(file && ::write(file.get(), input.data(), input.size()) == static_cast<ssize_t>(input.size()),
               "there is memory for a file");
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  // Whatever they say, they read no further than there is.
  static_cast<void>(artifact::is_archive(path));
  static_cast<void>(artifact::is_tarball(path));
  static const Sandbox sandbox;
  const Status unpacked = artifact::unpack(path, sandbox.target(), kMostBytes);
  TIPHYS_CHECK(unpacked || !unpacked.error().message.empty(), "an error says what is wrong");
  sandbox.check(unpacked.has_value());
  if (!unpacked) return;
  const auto content = tree(sandbox.target());
  pack_again(sandbox, content, pack_tar_gz);
  // A zip's names are text.
  if (std::ranges::all_of(content, is_text)) pack_again(sandbox, content, artifact::pack_zip);
  TIPHYS_CHECK(artifact::remove_tree(sandbox.target()), "it can be removed");
}

constexpr Target kTargets[] = {{"archive", archive}};

}  // namespace

std::span<const Target> archive_targets() {
  return kTargets;
}

}  // namespace tiphys::fuzz

// Archives as an enemy would write them, by chance: whatever is in one, nothing outside of the target is touched, read
// or made, no device appears, and the bound on bytes holds. The shapes of CVE-2025-62156 and CVE-2025-66626.
#include <archive.h>
#include <archive_entry.h>

#include <random>
#include <vector>

#include "artifact/repository.h"
#include "artifact/testing.h"

namespace tiphys::artifact {
namespace {

namespace fs = std::filesystem;
using testing::read_file;
using testing::TempFolder;
using testing::write_file;

constexpr std::uint64_t kMostBytes = 1 << 16;
constexpr int kArchives = 1000;

class HostileArchive {
 public:
  HostileArchive(std::uint64_t seed, std::string outside) : random_(seed), outside_(std::move(outside)) {}

  /// Its bytes, in one of the formats and filters that are read.
  std::string make() {
    std::string bytes(1 << 18, '\0');
    std::size_t used = 0;
    archive* writer = ::archive_write_new();
    one_of<int (*)(archive*)>({::archive_write_set_format_pax_restricted, ::archive_write_set_format_gnutar,
                               ::archive_write_set_format_ustar, ::archive_write_set_format_zip})(writer);
    one_of<int (*)(archive*)>({::archive_write_add_filter_none, ::archive_write_add_filter_gzip,
                               ::archive_write_add_filter_xz, ::archive_write_add_filter_zstd})(writer);
    EXPECT_EQ(::archive_write_open_memory(writer, bytes.data(), bytes.size(), &used), ARCHIVE_OK);
    for (std::size_t left = 1 + below(8); left > 0; --left) add_entry(writer);
    ::archive_write_close(writer);
    ::archive_write_free(writer);
    bytes.resize(used);
    if (chance(4)) damage(bytes);
    return bytes;
  }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool chance(std::size_t of) { return below(of) == 0; }
  template <typename T>
  T one_of(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }

  /// Few names, so that entries meet: links in the place of folders, files below links.
  std::string path() {
    std::string made = one_of<const char*>({"", "", "", "", "/", "./", "../", "//", "..\\"});
    for (std::size_t left = 1 + below(4); left > 0; --left) {
      made += one_of<const char*>({"a", "b", "a", "b", "d", "..", ".", "", "\xff", "\xc0\xae\xc0\xae", "C:"});
      if (left > 1) made += "/";
    }
    if (chance(40)) made += std::string(5000, 'n');
    return made;
  }

  std::string target() {
    return one_of<std::string>({path(), path(), path(), "..", ".", "../outside", "../../outside/secret", outside_,
                                outside_ + "/secret", "/", "/proc/self/root", "/dev/zero", "a/../../outside"});
  }

  void add_entry(archive* writer) {
    archive_entry* entry = ::archive_entry_new();
    const std::string name = path(), to = target();
    const std::string content(chance(20) ? kMostBytes : below(200), 'x');
    const mode_t type =
        one_of<mode_t>({AE_IFREG, AE_IFREG, AE_IFREG, AE_IFDIR, AE_IFLNK, AE_IFLNK, AE_IFCHR, AE_IFIFO});
    const bool hard = type == AE_IFREG && chance(4);
    ::archive_entry_set_pathname(entry, name.c_str());
    ::archive_entry_set_filetype(entry, type);
    ::archive_entry_set_perm(entry, one_of<mode_t>({0, 0644, 0777, 06777, 0111}));
    if (hard) ::archive_entry_set_hardlink(entry, to.c_str());
    if (type == AE_IFLNK) ::archive_entry_set_symlink(entry, to.c_str());
    if (type == AE_IFREG && !hard) ::archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    // What a format cannot say is left out.
    if (::archive_write_header(writer, entry) == ARCHIVE_OK && type == AE_IFREG && !hard) {
      ::archive_write_data(writer, content.data(), content.size());
    }
    ::archive_entry_free(entry);
  }

  void damage(std::string& bytes) {
    for (std::size_t left = 1 + below(20); left > 0 && !bytes.empty(); --left) {
      bytes[below(bytes.size())] = static_cast<char>(below(256));
    }
    if (chance(3)) bytes.resize(below(bytes.size() + 1));
  }

  std::mt19937_64 random_;
  const std::string outside_;
};

/// Nothing of what came leads out of it.
void expect_inside(const fs::path& target) {
  std::uint64_t bytes = 0;
  const fs::path top = fs::canonical(target);
  const auto look = [&](const fs::path& path) {
    const fs::file_status found = fs::symlink_status(path);
    EXPECT_TRUE(fs::is_regular_file(found) || fs::is_directory(found) || fs::is_symlink(found)) << path;
    if (fs::is_regular_file(found)) bytes += fs::file_size(path);
    if (!fs::is_symlink(found)) return;
    std::error_code loops;
    const fs::path leads = fs::weakly_canonical(path, loops);
    EXPECT_TRUE(loops || (leads.string() + "/").starts_with(top.string() + "/"))
        << path << " -> " << fs::read_symlink(path);
  };
  EXPECT_FALSE(fs::is_symlink(fs::symlink_status(target)));
  look(target);
  if (fs::is_directory(target)) {
    for (const auto& entry : fs::recursive_directory_iterator(target)) look(entry.path());
  }
  EXPECT_LE(bytes, kMostBytes);
}

TEST(HostileArchive, NoneLeavesItsTarget) {
  TempFolder temp;
  const std::string outside = temp / "outside", work = temp / "work";
  write_file(outside + "/secret", "secret");
  fs::create_directory(work);
  int whole = 0;
  for (int seed = 0; seed < kArchives && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    write_file(temp / "archive", HostileArchive(static_cast<std::uint64_t>(seed), outside).make());
    const bool unpacked = unpack(temp / "archive", work + "/target", kMostBytes).has_value();
    EXPECT_EQ(read_file(outside + "/secret"), "secret");
    EXPECT_EQ(fs::hard_link_count(outside + "/secret"), 1u);
    EXPECT_EQ(std::distance(fs::directory_iterator(outside), {}), 1);
    EXPECT_EQ(std::distance(fs::directory_iterator(temp.path()), {}), 3);
    EXPECT_EQ(std::distance(fs::directory_iterator(work), {}), unpacked ? 1 : 0) << "all or nothing";
    if (!unpacked) continue;
    ++whole;
    expect_inside(work + "/target");
    fs::remove_all(work + "/target");
  }
  EXPECT_GT(whole, kArchives / 20) << "some must be good, or nothing is tried";
}

}  // namespace
}  // namespace tiphys::artifact

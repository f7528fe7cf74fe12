#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include <memory>
#include <vector>

#include "artifact/repository.h"
#include "artifact/testing.h"
#include "artifact/utf8_locale.h"

namespace tiphys::artifact {
namespace {

namespace fs = std::filesystem;
using testing::mode_of;
using testing::read_file;
using testing::TempFolder;
using testing::write_file;

struct Entry {
  std::string name;
  mode_t type = AE_IFREG;
  std::string content;  ///< or the target of a link
  bool hard_link = false;
  mode_t mode = 0644;
};
Entry file(std::string name, std::string content = "x") {
  return {std::move(name), AE_IFREG, std::move(content)};
}
Entry folder(std::string name, mode_t mode = 0755) {
  return {std::move(name), AE_IFDIR, "", false, mode};
}
Entry symlink(std::string name, std::string to) {
  return {std::move(name), AE_IFLNK, std::move(to)};
}
Entry hard_link(std::string name, std::string to) {
  return {std::move(name), AE_IFREG, std::move(to), true};
}

/// An archive as anybody could have written it, names unchecked.
void write_archive(const std::string& path, const std::vector<Entry>& entries, bool zip = false) {
  archive* writer = ::archive_write_new();
  if (zip) {
    ::archive_write_set_format_zip(writer);
  } else {
    ::archive_write_set_format_pax_restricted(writer);
    ::archive_write_add_filter_gzip(writer);
  }
  ASSERT_EQ(::archive_write_open_filename(writer, path.c_str()), ARCHIVE_OK);
  for (const Entry& entry : entries) {
    archive_entry* header = ::archive_entry_new();
    ::archive_entry_set_pathname(header, entry.name.c_str());
    ::archive_entry_set_filetype(header, entry.type);
    ::archive_entry_set_perm(header, entry.mode);
    if (entry.hard_link) {
      ::archive_entry_set_hardlink(header, entry.content.c_str());
    } else if (entry.type == AE_IFLNK) {
      ::archive_entry_set_symlink(header, entry.content.c_str());
    } else {
      ::archive_entry_set_size(header, static_cast<la_int64_t>(entry.content.size()));
    }
    ASSERT_EQ(::archive_write_header(writer, header), ARCHIVE_OK) << ::archive_error_string(writer);
    if (entry.type == AE_IFREG && !entry.hard_link) {
      ::archive_write_data(writer, entry.content.data(), entry.content.size());
    }
    ::archive_entry_free(header);
  }
  ASSERT_EQ(::archive_write_close(writer), ARCHIVE_OK);
  ::archive_write_free(writer);
}

std::vector<std::string> names_in_archive(const std::string& path) {
  const Utf8Locale utf8;
  archive* reader = ::archive_read_new();
  ::archive_read_support_filter_gzip(reader);
  ::archive_read_support_format_tar(reader);
  ::archive_read_support_format_zip(reader);
  EXPECT_EQ(::archive_read_open_filename(reader, path.c_str(), 4096), ARCHIVE_OK);
  std::vector<std::string> names;
  for (archive_entry* entry = nullptr; ::archive_read_next_header(reader, &entry) == ARCHIVE_OK;) {
    names.emplace_back(::archive_entry_pathname(entry));
  }
  ::archive_read_free(reader);
  return names;
}

struct Hostile {
  std::string rule;
  std::vector<Entry> entries;
  std::string message;
};
class HostileArchives : public ::testing::TestWithParam<std::tuple<Hostile, bool>> {};
TEST_P(HostileArchives, AreRefusedAndLeaveNothing) {
  const auto& [row, zip] = GetParam();
  TempFolder temp;
  fs::create_directory(temp / "outside");
  fs::create_directory(temp / "work");
  write_archive(temp / "a", row.entries, zip);
  const Status status = unpack(temp / "a", temp / "work/target", 1 << 20);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find(row.message), std::string::npos) << status.error().message;
  EXPECT_TRUE(fs::is_empty(temp / "work"));
  EXPECT_TRUE(fs::is_empty(temp / "outside"));
}
const Hostile kHostile[] = {
    {"climbing_name", {file("a"), file("../outside/x")}, "illegal file path: ../outside/x"},
    {"climbing_name_inside", {file("a/../../outside/x")}, "illegal file path"},
    {"name_that_ends_with_dots", {folder("a/..")}, "illegal file path"},
    {"absolute_link", {symlink("d/link", "/etc/passwd")}, "illegal symlink target: d/link -> /etc/passwd"},
    {"link_that_climbs_out", {symlink("d/link", "../../outside")}, "illegal symlink target"},
    {"link_that_leaves_the_single_top", {symlink("d/link", "../beside")}, "illegal symlink target"},
    {"link_that_climbs_through_a_link",
     {file("d/f"), symlink("d/here", "."), symlink("d/out", "here/here/../../..")},
     "illegal symlink target: d/out"},
    {"single_top_that_is_a_climbing_link", {symlink("link", "..")}, "illegal symlink target"},
    {"single_top_that_is_a_link_beside_the_target", {symlink("link", "beside")}, "illegal symlink target"},
    {"write_through_a_link", {symlink("d/link", "."), file("d/link/x")}, "leads through a symbolic link"},
    {"write_through_an_absolute_link", {symlink("d/link", "/tmp"), file("d/link/x")}, "leads through a symbolic link"},
    {"folder_in_place_of_a_link", {symlink("d/link", "."), folder("d/link"), file("d/link/x")}, "illegal file path"},
    {"link_in_place_of_a_folder", {folder("d/e"), file("d/e/x"), symlink("d/e", ".")}, "d/e"},
    {"file_below_a_file", {file("d/f"), file("d/f/x")}, "d/f/x"},
    {"size_bomb", {file("d/zeros", std::string((1 << 20) + 1, '\0'))}, "more than 1048576 bytes"},
    {"bomb_of_many_files", std::vector<Entry>(3000, file("d/same", "")), "more than 1048576 bytes"},
    {"too_deep",
     {file([] {
       std::string name;
       for (int i = 0; i < 300; ++i) name += "d/";
       return name + "f";
     }())},
     "deep"},
};
INSTANTIATE_TEST_SUITE_P(Unpack, HostileArchives, ::testing::Combine(::testing::ValuesIn(kHostile), ::testing::Bool()),
                         [](const auto& row) {
                           return std::get<0>(row.param).rule + (std::get<1>(row.param) ? "_zip" : "_tar");
                         });

/// What only tar can say.
const Hostile kHostileTar[] = {
    {"device", {{"d/null", AE_IFCHR, ""}}, "device"},
    {"block_device", {{"d/sda", AE_IFBLK, ""}}, "device"},
    {"hard_link_that_climbs", {hard_link("d/x", "../outside/y")}, "illegal file path"},
    {"hard_link_to_an_absolute_path", {hard_link("d/x", "/etc/passwd")}, "illegal hard link"},
    {"hard_link_to_a_link", {symlink("d/l", "."), hard_link("d/x", "d/l")}, "illegal hard link"},
    {"hard_link_to_nothing", {hard_link("d/x", "d/none")}, "illegal hard link"},
    {"hard_link_to_itself", {file("d/x"), hard_link("d/x", "d/x")}, "illegal hard link"},
};
INSTANTIATE_TEST_SUITE_P(UnpackTar, HostileArchives,
                         ::testing::Combine(::testing::ValuesIn(kHostileTar), ::testing::Values(false)),
                         [](const auto& row) { return std::get<0>(row.param).rule; });

struct UnpackTest : ::testing::Test {
  TempFolder temp;
  std::string out = temp / "out";
  void unpacked(const std::vector<Entry>& entries, bool zip = false) {
    write_archive(temp / "a", entries, zip);
    const Status status = unpack(temp / "a", out);
    ASSERT_TRUE(status) << status.error().message;
  }
};

TEST_F(UnpackTest, OneTopFileBecomesTheTarget) {
  unpacked({file("name", "content")});
  EXPECT_EQ(read_file(out), "content");
}
TEST_F(UnpackTest, OneTopFolderBecomesTheTarget) {
  unpacked({folder("top"), file("top/x", "1"), file("top/y/z", "2")});
  EXPECT_EQ(read_file(out + "/x"), "1");
  EXPECT_EQ(read_file(out + "/y/z"), "2");
}
TEST_F(UnpackTest, SeveralTopsAreKeptInTheTarget) {
  unpacked({file("x", "1"), file("y/z", "2")});
  EXPECT_EQ(read_file(out + "/x"), "1");
  EXPECT_EQ(read_file(out + "/y/z"), "2");
}
TEST_F(UnpackTest, AnEmptyArchiveGivesAnEmptyFolder) {
  unpacked({});
  EXPECT_TRUE(fs::is_empty(out));
}
TEST_F(UnpackTest, DotsAndALeadingSlashAreDropped) {
  unpacked({folder("./"), file("./x", "1"), file("/y", "2")});
  EXPECT_EQ(read_file(out + "/x"), "1");
  EXPECT_EQ(read_file(out + "/y"), "2");
}
TEST_F(UnpackTest, ALaterEntryReplacesAnEarlierOne) {
  unpacked({file("d/x", "first, longer"), file("d/x", "second"), symlink("d/y", "x"), file("d/y", "plain")});
  EXPECT_EQ(read_file(out + "/x"), "second");
  EXPECT_EQ(read_file(out + "/y"), "plain");
}
TEST_F(UnpackTest, LinksWithinTheTargetAreKept) {
  unpacked({file("d/lib/x", "1"), symlink("d/lib64", "lib"), symlink("d/a/b/up", "../../lib/x"),
            hard_link("d/h", "d/lib/x")});
  EXPECT_EQ(read_file(out + "/lib64/x"), "1");
  EXPECT_EQ(read_file(out + "/a/b/up"), "1");
  EXPECT_EQ(read_file(out + "/h"), "1");
}
TEST_F(UnpackTest, AnyLinkIsKeptWhenAskedForAndNeverWrittenThrough) {
  write_archive(temp / "a", {file("d/x"), symlink("d/python", "/usr/bin/python3"), symlink("d/up", "../..")});
  ASSERT_TRUE(unpack(temp / "a", out, 1 << 20, Links::kAny));
  EXPECT_EQ(fs::read_symlink(out + "/python"), "/usr/bin/python3");
  EXPECT_EQ(fs::read_symlink(out + "/up"), "../..");
  write_archive(temp / "b", {symlink("d/up", ".."), file("d/up/x")});
  EXPECT_FALSE(unpack(temp / "b", temp / "out2", 1 << 20, Links::kAny));
}
TEST_F(UnpackTest, ModesAreKeptButForTheSpecialBits) {
  unpacked({folder("d", 0500), {"d/run", AE_IFREG, "x", false, 06755}, {"d/none", AE_IFREG, "x", false, 0}});
  EXPECT_EQ(mode_of(out), 0700u) << "a folder stays open to its owner";
  EXPECT_EQ(mode_of(out + "/run"), 0755u);
  EXPECT_EQ(mode_of(out + "/none"), 0400u);
}
TEST_F(UnpackTest, PipesAreLeftOut) {
  unpacked({{"pipe", AE_IFIFO, ""}, file("x", "1")});
  EXPECT_EQ(read_file(out), "1");
}
TEST_F(UnpackTest, ExactlyTheMostIsAllowed) {
  write_archive(temp / "a", {file("x", std::string(1000, 'x'))});
  EXPECT_EQ(unpack(temp / "a", temp / "less", 1511).error().code, Code::kResourceExhausted);
  EXPECT_TRUE(unpack(temp / "a", out, 1512));
}
TEST_F(UnpackTest, WhatIsThereIsNotReplaced) {
  write_file(out, "mine");
  write_archive(temp / "a", {file("x", "1")});
  EXPECT_EQ(unpack(temp / "a", out).error().code, Code::kAlreadyExists);
  EXPECT_EQ(read_file(out), "mine");
}
TEST_F(UnpackTest, ATruncatedArchiveIsAnErrorAndLeavesNothing) {
  std::string noise;
  for (unsigned i = 0, state = 1; i < 100'000; ++i)
    noise.push_back(static_cast<char>((state = state * 1103515245u + 12345u) >> 16));
  write_archive(temp / "a", {file("d/x", noise)});
  fs::resize_file(temp / "a", fs::file_size(temp / "a") / 2);
  EXPECT_FALSE(unpack(temp / "a", out));
  EXPECT_EQ(std::distance(fs::directory_iterator(temp.path()), {}), 1);
}
TEST_F(UnpackTest, WhatIsNoArchiveIsAnError) {
  write_file(temp / "a", "just text, long enough to look at");
  EXPECT_EQ(unpack(temp / "a", out).error().code, Code::kInvalidArgument);
  EXPECT_EQ(unpack(temp / "none", out).error().code, Code::kNotFound);
}

struct PackTest : ::testing::Test {
  TempFolder temp;
  void SetUp() override {
    write_file(temp / "tree/b/run", "#!", 0755);
    write_file(temp / "tree/a.txt", "a");
    write_file(temp / "tree/gr\u00f6\u00dfe \u6f22", "u");
    fs::create_directory(temp / "tree/empty");
    fs::create_symlink("b/run", temp / "tree/link");
  }
  void expect_tree(const std::string& at) {
    EXPECT_EQ(mode_of(at + "/b/run"), 0755u);
    EXPECT_EQ(read_file(at + "/a.txt"), "a");
    EXPECT_EQ(read_file(at + "/gr\u00f6\u00dfe \u6f22"), "u");
    EXPECT_TRUE(fs::is_empty(at + "/empty"));
    EXPECT_EQ(fs::read_symlink(at + "/link"), "b/run");
  }
};

TEST_F(PackTest, AFolderIsNamedAfterItselfAndSorted) {
  ASSERT_TRUE(pack_tar_gz(temp / "tree", temp / "t.tgz", -1));
  EXPECT_EQ(names_in_archive(temp / "t.tgz"),
            (std::vector<std::string>{"tree/", "tree/a.txt", "tree/b/", "tree/b/run", "tree/empty/",
                                      "tree/gr\u00f6\u00dfe \u6f22", "tree/link"}));
}
TEST_F(PackTest, AFileIsNamedAfterItself) {
  ASSERT_TRUE(pack_tar_gz(temp / "tree/a.txt", temp / "t.tgz", 9));
  EXPECT_EQ(names_in_archive(temp / "t.tgz"), (std::vector<std::string>{"a.txt"}));
}
TEST_F(PackTest, ASlashAtTheEndDoesNotChangeTheName) {
  ASSERT_TRUE(pack_tar_gz(temp / "tree/b/", temp / "t.tgz", 0));
  EXPECT_EQ(names_in_archive(temp / "t.tgz"), (std::vector<std::string>{"b/", "b/run"}));
}
TEST_F(PackTest, ATreeComesBackFromTarGz) {
  ASSERT_TRUE(pack_tar_gz(temp / "tree", temp / "t.tgz", 1));
  ASSERT_TRUE(unpack(temp / "t.tgz", temp / "out"));
  expect_tree(temp / "out");
}
TEST_F(PackTest, ATreeComesBackFromZip) {
  ASSERT_TRUE(pack_zip(temp / "tree", temp / "t.zip"));
  ASSERT_TRUE(unpack(temp / "t.zip", temp / "out"));
  expect_tree(temp / "out");
}
TEST_F(PackTest, EqualContentGivesEqualBytes) {
  ASSERT_TRUE(pack_tar_gz(temp / "tree", temp / "1.tgz", -1));
  ASSERT_TRUE(pack_tar_gz(temp / "tree", temp / "2.tgz", -1));
  EXPECT_EQ(read_file(temp / "1.tgz"), read_file(temp / "2.tgz"));
}
TEST_F(PackTest, TheLevelIsUsed) {
  write_file(temp / "zeros", std::string(1 << 20, '\0'));
  ASSERT_TRUE(pack_tar_gz(temp / "zeros", temp / "0.tgz", 0));
  ASSERT_TRUE(pack_tar_gz(temp / "zeros", temp / "9.tgz", 9));
  EXPECT_GT(fs::file_size(temp / "0.tgz"), 1u << 20);
  EXPECT_LT(fs::file_size(temp / "9.tgz"), 10'000u);
  EXPECT_EQ(pack_tar_gz(temp / "zeros", temp / "x.tgz", 10).error().code, Code::kInvalidArgument);
}
TEST_F(PackTest, SeveralEntriesUnderNamesOfTheirOwn) {
  const std::pair<std::string, std::string> entries[] = {{"tmp/in/a", temp / "tree/a.txt"},
                                                         {"work/t", temp / "tree/b"}};
  ASSERT_TRUE(pack_tar(entries, temp / "t.tar"));
  EXPECT_EQ(names_in_archive(temp / "t.tar"), (std::vector<std::string>{"tmp/in/a", "work/t/", "work/t/run"}));
}
TEST_F(PackTest, AMissingSourceIsNotFoundAndLeavesNothing) {
  EXPECT_EQ(pack_tar_gz(temp / "none", temp / "t.tgz", -1).error().code, Code::kNotFound);
  EXPECT_EQ(pack_zip(temp / "none", temp / "t.zip").error().code, Code::kNotFound);
  EXPECT_EQ(pack_zip("/dev/null", temp / "t.zip").error().code, Code::kInvalidArgument);
  EXPECT_FALSE(fs::exists(temp / "t.tgz"));
  EXPECT_FALSE(fs::exists(temp / "t.zip"));
}
TEST_F(PackTest, NamesThatAreNoUtf8AreKept) {
  write_file(temp / "odd/\xff\xfe", "o");
  ASSERT_TRUE(pack_tar_gz(temp / "odd", temp / "t.tgz", -1));
  ASSERT_TRUE(unpack(temp / "t.tgz", temp / "out"));
  EXPECT_EQ(read_file(temp / "out/\xff\xfe"), "o");
}

TEST(IsArchive, LooksAtTheFirstBytes) {
  TempFolder temp;
  write_file(temp / "x", "content");
  write_archive(temp / "gz", {file("x")});
  write_archive(temp / "zip", {file("x")}, true);
  const std::pair<std::string, std::string> entries[] = {{"x", temp / "x"}};
  ASSERT_TRUE(pack_tar(entries, temp / "tar"));
  write_file(temp / "plain.gz", "\x1f\x8b not really");
  write_file(temp / "empty", "");
  const struct {
    const char* name;
    bool archive, tarball;
  } rows[] = {{"gz", true, true},  {"zip", true, false},    {"tar", true, false},  {"plain.gz", true, false},
              {"x", false, false}, {"empty", false, false}, {"none", false, false}};
  for (const auto& row : rows) {
    EXPECT_EQ(is_archive(temp / row.name), row.archive) << row.name;
    EXPECT_EQ(is_tarball(temp / row.name), row.tarball) << row.name;
  }
}

}  // namespace
}  // namespace tiphys::artifact

#include "node/process/input_roots.h"

#include <sys/stat.h>

#include <filesystem>

#include "node/testing.h"

namespace tiphys::node {
namespace {

namespace fs = std::filesystem;
using testing::TempFolder;
using testing::write_file;

class InputRootsTest : public ::testing::Test {
 protected:
  InputRootsTest() { fs::create_directories(data_.path() + "/supervisor"); }
  std::string place(std::string_view name) const { return fmt::format("{}/{}", data_.path(), name); }
  static ino_t inode(const std::string& path) {
    struct stat about{};
    return ::stat(path.c_str(), &about) == 0 ? about.st_ino : 0;
  }

  TempFolder data_;
};

TEST_F(InputRootsTest, AreMadeWhileNoneIsKept) {
  ASSERT_TRUE(InputRoots(HostView::detect(), data_.path(), 1).take(place("a")));
  EXPECT_TRUE(fs::is_directory(place("a/var/run/argo")));
}

TEST_F(InputRootsTest, OneThatIsGivenIsTheNext) {
  InputRoots roots(HostView::detect(), data_.path(), 1);
  ASSERT_TRUE(roots.take(place("a")));
  const ino_t first = inode(place("a"));
  ASSERT_TRUE(roots.give(place("a")));
  EXPECT_FALSE(fs::exists(place("a")));
  ASSERT_TRUE(roots.take(place("b")));
  EXPECT_EQ(inode(place("b")), first);
  ASSERT_TRUE(roots.take(place("c")));
  EXPECT_NE(inode(place("c")), first);
}

TEST_F(InputRootsTest, WhatAnEarlierProcessLeftIsMadeAsNew) {
  InputRoots earlier(HostView::detect(), data_.path(), 1);
  ASSERT_TRUE(earlier.take(place("a")));
  fs::remove(place("a/mnt"));  // as if it had not known that a root has it
  write_file(place("a/tmp/left"), "x");
  ASSERT_TRUE(earlier.give(place("a")));
  InputRoots later(HostView::detect(), data_.path(), 2);
  ASSERT_TRUE(later.take(place("b")));
  EXPECT_TRUE(fs::is_directory(place("b/mnt")));
  EXPECT_FALSE(fs::exists(place("b/tmp/left")));
}

TEST_F(InputRootsTest, OneThatCannotBeMadeAsNewIsRemoved) {
  InputRoots earlier(HostView::detect(), data_.path(), 1);
  ASSERT_TRUE(earlier.take(place("a")));
  fs::remove(place("a/tmp"));
  write_file(place("a/tmp"), "in the place of a folder");
  ASSERT_TRUE(earlier.give(place("a")));
  InputRoots later(HostView::detect(), data_.path(), 2);
  ASSERT_TRUE(later.take(place("b")));
  EXPECT_TRUE(fs::is_directory(place("b/tmp")));
  EXPECT_TRUE(fs::is_empty(place("supervisor/input-roots")));
}

TEST_F(InputRootsTest, EnoughAreKept) {
  InputRoots roots(HostView::detect(), data_.path(), 1);
  int kept = 0;
  for (; kept < 1000; ++kept) {
    fs::create_directories(place("a"));
    if (!roots.give(place("a"))) break;
  }
  EXPECT_EQ(kept, 32);
  EXPECT_TRUE(fs::exists(place("a"))) << "it is its giver's";
}

}  // namespace
}  // namespace tiphys::node

#include "base/beneath.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace tiphys {
namespace {

namespace fs = std::filesystem;

/// Two folders: `top`, and `outside`, which nothing must reach.
class BeneathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = ::testing::TempDir() + "beneath-XXXXXX";
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    folder = fs::canonical(made);
    top = folder / "top";
    fs::create_directories(top / "a/b");
    fs::create_directory(folder / "outside");
    std::ofstream(top / "a/f") << "f";
    fs::create_symlink("a/b", top / "inside");
    fs::create_symlink("../top/a", top / "back");
    fs::create_symlink("../outside", top / "out");
    fs::create_symlink(folder / "top/a", top / "absolute");
    fs::create_symlink("loop", top / "loop");
    fs::create_symlink("nothing", top / "dangling");
  }
  void TearDown() override { fs::remove_all(folder); }
  /// Where it is below the top, or the code of the error.
  std::string found(const Result<UniqueFd>& opened) const {
    if (!opened) return std::string(code_name(opened.error().code));
    return fs::path(path_of(*opened).value()).lexically_relative(top);
  }

  fs::path folder, top;
};

TEST_F(BeneathTest, LinksAreFollowedAsLongAsTheyStay) {
  const struct {
    const char* path;
    const char* opened;
    const char* made;
  } rows[] = {{"", ".", "."},
              {"a/f", "a/f", "FailedPrecondition"},
              {"inside", "a/b", "a/b"},
              {"inside/../f", "a/f", "FailedPrecondition"},
              {"a/../../top", "InvalidArgument", "InvalidArgument"},
              {"..", "InvalidArgument", "InvalidArgument"},
              {"out", "InvalidArgument", "InvalidArgument"},
              {"out/new", "InvalidArgument", "InvalidArgument"},
              {"back", "InvalidArgument", "InvalidArgument"},
              {"absolute", "InvalidArgument", "InvalidArgument"},
              {"loop", "FailedPrecondition", "FailedPrecondition"},
              {"dangling", "NotFound", "NotFound"},
              {"/etc", "InvalidArgument", "etc"},
              {"inside/new/deep", "NotFound", "a/b/new/deep"}};
  for (const auto& row : rows) {
    EXPECT_EQ(found(open_beneath(top, row.path, O_PATH)), row.opened) << row.path;
    EXPECT_EQ(found(make_folder_beneath(top, row.path)), row.made) << row.path;
  }
  EXPECT_TRUE(fs::is_empty(folder / "outside"));
  EXPECT_EQ(found(open_beneath(folder / "none", "a", O_PATH)), "NotFound");
}

}  // namespace
}  // namespace tiphys

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <thread>
#include <vector>

#include "artifact/repository.h"
#include "artifact/testing.h"

namespace tiphys::artifact {
namespace {

namespace fs = std::filesystem;
using testing::mode_of;
using testing::read_file;
using testing::TempFolder;
using testing::write_file;

struct FolderRepositoryTest : ::testing::Test {
  TempFolder temp;
  std::unique_ptr<Repository> repository = make_folder_repository(temp / "root");

  std::string loaded(std::string_view key) {
    const std::string to = temp / ("out" + std::to_string(next++));
    const Status status = repository->load(key, to);
    return status ? to : std::string(code_name(status.error().code));
  }
  /// Names in the root but the repository's own.
  std::vector<std::string> objects() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(temp / "root")) {
      if (entry.path().filename() != ".staging") names.push_back(entry.path().filename());
    }
    return names;
  }
  int next = 0;
};

TEST_F(FolderRepositoryTest, AFileComesBackWithItsContentAndMode) {
  write_file(temp / "in", std::string("a\0b", 3), 0751);
  ASSERT_TRUE(repository->save("wf/pod/x.bin", temp / "in"));
  const std::string out = loaded("wf/pod/x.bin");
  EXPECT_EQ(read_file(out), std::string("a\0b", 3));
  EXPECT_EQ(mode_of(out), 0751u);
  EXPECT_EQ(read_file(repository->local_path("wf/pod/x.bin")), std::string("a\0b", 3));
}

TEST_F(FolderRepositoryTest, AFolderComesBackWithModesLinksAndEmptyFolders) {
  write_file(temp / "in/a/run", "#!", 0755);
  write_file(temp / "in/secret", "s", 0400);
  fs::create_directory(temp / "in/empty");
  fs::create_symlink("a/run", temp / "in/link");
  fs::create_symlink("/nowhere", temp / "in/dangling");
  ASSERT_EQ(::chmod((temp / "in/a").c_str(), 0555), 0);
  ASSERT_TRUE(repository->save("d", temp / "in"));
  const std::string out = loaded("d");
  EXPECT_EQ(mode_of(out + "/a/run"), 0755u);
  EXPECT_EQ(mode_of(out + "/secret"), 0400u);
  EXPECT_EQ(mode_of(out + "/a"), 0755u) << "a folder stays open to its owner";
  EXPECT_TRUE(fs::is_empty(out + "/empty"));
  EXPECT_EQ(fs::read_symlink(out + "/link"), "a/run");
  EXPECT_EQ(fs::read_symlink(out + "/dangling"), "/nowhere");
}

TEST_F(FolderRepositoryTest, SavingAgainReplacesWhateverKindWasThere) {
  write_file(temp / "file", "one");
  write_file(temp / "file2", "two");
  write_file(temp / "folder/x", "three");
  write_file(temp / "folder2/y", "four");
  ASSERT_TRUE(repository->save("k", temp / "file"));
  ASSERT_TRUE(repository->save("k", temp / "file2"));
  EXPECT_EQ(read_file(loaded("k")), "two");
  ASSERT_TRUE(repository->save("k", temp / "folder"));
  EXPECT_EQ(read_file(loaded("k") + "/x"), "three");
  ASSERT_TRUE(repository->save("k", temp / "folder2"));
  const std::string out = loaded("k");
  EXPECT_EQ(read_file(out + "/y"), "four");
  EXPECT_FALSE(fs::exists(out + "/x"));
  ASSERT_TRUE(repository->save("k", temp / "file"));
  EXPECT_EQ(read_file(loaded("k")), "one");
}

TEST_F(FolderRepositoryTest, AKeyThatIsAPrefixLoadsAsAFolder) {
  write_file(temp / "file", "one");
  ASSERT_TRUE(repository->save("run/a", temp / "file"));
  ASSERT_TRUE(repository->save("run/b/c", temp / "file"));
  EXPECT_EQ(read_file(loaded("run") + "/b/c"), "one");
}

TEST_F(FolderRepositoryTest, FilesBelowAKeyAreListed) {
  using Keys = std::vector<std::string>;
  EXPECT_EQ(repository->list("").value_or(Keys{"error"}), Keys{});
  write_file(temp / "in/a/x", "1");
  write_file(temp / "in/a-b", "2");
  fs::create_directory(temp / "in/empty");
  fs::create_symlink("a/x", temp / "in/link");
  ASSERT_TRUE(repository->save("wf/d", temp / "in"));
  ASSERT_TRUE(repository->save("wf/file", temp / "in/a-b"));
  EXPECT_EQ(repository->list("wf/d").value_or(Keys{"error"}), (Keys{"wf/d/a-b", "wf/d/a/x"}));
  EXPECT_EQ(repository->list("wf//d/").value_or(Keys{"error"}), (Keys{"wf/d/a-b", "wf/d/a/x"}));
  EXPECT_EQ(repository->list("").value_or(Keys{"error"}), (Keys{"wf/d/a-b", "wf/d/a/x", "wf/file"}));
  EXPECT_EQ(repository->list("wf/file").value_or(Keys{"error"}), Keys{});
  EXPECT_EQ(repository->list("wf/d/empty").value_or(Keys{"error"}), Keys{});
  EXPECT_EQ(repository->list("wf/fil").error().code, Code::kNotFound);
}

TEST_F(FolderRepositoryTest, MissingKeysAreNotFound) {
  EXPECT_EQ(loaded("none"), "NotFound") << "before the first save";
  write_file(temp / "file", "one");
  ASSERT_TRUE(repository->save("a", temp / "file"));
  EXPECT_EQ(loaded("none"), "NotFound");
  EXPECT_EQ(loaded("none/deeper"), "NotFound");
  EXPECT_EQ(loaded("a/below-a-file"), "NotFound");
}

struct BadKey {
  std::string rule, key;
};
class BadKeys : public ::testing::TestWithParam<BadKey> {};
TEST_P(BadKeys, AreRefusedByEveryCall) {
  TempFolder temp;
  const auto repository = make_folder_repository(temp / "root");
  write_file(temp / "file", "one");
  const std::string& key = GetParam().key;
  for (const Status& status :
       {repository->save(key, temp / "file"), repository->load(key, temp / "out"), repository->remove(key)}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::kInvalidArgument) << status.error().message;
  }
  EXPECT_EQ(repository->local_path(key), "");
  EXPECT_TRUE(key.empty() || !repository->list(key));
  EXPECT_EQ(std::distance(fs::directory_iterator(temp.path()), {}), 1) << "something was written";
}
INSTANTIATE_TEST_SUITE_P(
    FolderRepository, BadKeys,
    ::testing::Values(BadKey{"empty", ""}, BadKey{"only_dots_and_slashes", "./."}, BadKey{"absolute", "/etc/passwd"},
                      BadKey{"climbs", "../x"}, BadKey{"climbs_inside", "a/../b"}, BadKey{"climbs_at_the_end", "a/.."},
                      BadKey{"zero_byte", std::string("a\0b", 3)}, BadKey{"long_part", std::string(300, 'x')},
                      BadKey{"long_key", std::string(5000, '/') + "x"}, BadKey{"staging", ".staging/1"}),
    [](const auto& row) { return row.param.rule; });

TEST_F(FolderRepositoryTest, AKeyNeverLeadsThroughASavedLink) {
  write_file(temp / "outside/secret", "s");
  fs::create_directory(temp / "in");
  fs::create_symlink(temp / "outside", temp / "in/link");
  fs::create_symlink(temp / "outside/secret", temp / "in/leaf");
  write_file(temp / "file", "evil");
  ASSERT_TRUE(repository->save("d", temp / "in"));
  EXPECT_EQ(loaded("d/link/secret"), "NotFound");
  EXPECT_EQ(loaded("d/leaf"), "NotFound");
  const Status saved = repository->save("d/link/new", temp / "file");
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, Code::kFailedPrecondition);
  EXPECT_FALSE(fs::exists(temp / "outside/new"));
}

TEST_F(FolderRepositoryTest, AnObjectCannotLieBelowAFile) {
  write_file(temp / "file", "one");
  ASSERT_TRUE(repository->save("a", temp / "file"));
  const Status saved = repository->save("a/b", temp / "file");
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, Code::kFailedPrecondition);
}

TEST_F(FolderRepositoryTest, AFailedSaveLeavesTheOldObject) {
  write_file(temp / "file", "one");
  ASSERT_TRUE(repository->save("k", temp / "file"));
  fs::create_directory(temp / "in");
  write_file(temp / "in/a", "a");
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  (temp / "in/s").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
  const Status saved = repository->save("k", temp / "in");
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, Code::kInvalidArgument);
  EXPECT_EQ(read_file(loaded("k")), "one");
  EXPECT_EQ(repository->save("k", temp / "missing").error().code, Code::kNotFound);
}

TEST_F(FolderRepositoryTest, PipesAreLeftOut) {
  write_file(temp / "in/a", "a");
  ASSERT_EQ(::mkfifo((temp / "in/pipe").c_str(), 0600), 0);
  ASSERT_TRUE(repository->save("k", temp / "in"));
  const std::string out = loaded("k");
  EXPECT_TRUE(fs::exists(out + "/a"));
  EXPECT_FALSE(fs::exists(out + "/pipe"));
}

TEST_F(FolderRepositoryTest, LoadNeverWritesOverWhatIsThere) {
  write_file(temp / "file", "one");
  ASSERT_TRUE(repository->save("k", temp / "file"));
  write_file(temp / "there", "mine");
  EXPECT_EQ(repository->load("k", temp / "there").error().code, Code::kAlreadyExists);
  EXPECT_EQ(read_file(temp / "there"), "mine");
}

TEST_F(FolderRepositoryTest, RemoveTakesTheObjectAndItsEmptyFolders) {
  write_file(temp / "file", "one");
  write_file(temp / "folder/x", "x");
  ASSERT_TRUE(repository->save("a/b/c", temp / "file"));
  ASSERT_TRUE(repository->save("a/d", temp / "folder"));
  ASSERT_TRUE(repository->remove("a/b/c"));
  EXPECT_EQ(loaded("a/b/c"), "NotFound");
  EXPECT_FALSE(fs::exists(temp / "root/a/b"));
  EXPECT_EQ(read_file(loaded("a/d") + "/x"), "x");
  ASSERT_TRUE(repository->remove("a/d"));
  EXPECT_TRUE(objects().empty());
  EXPECT_TRUE(repository->remove("a/d")) << "twice";
  EXPECT_TRUE(repository->remove("never")) << "never there";
}

TEST_F(FolderRepositoryTest, ASaveFollowsTheLinkItIsGiven) {
  write_file(temp / "file", "one");
  fs::create_symlink("file", temp / "link");
  ASSERT_TRUE(repository->save("k", temp / "link"));
  EXPECT_EQ(read_file(loaded("k")), "one");
}

TEST_F(FolderRepositoryTest, WhatADeadProcessLeftIsSweptAndALivingOnesStays) {
  write_file(temp / "root/.staging/dead/1/half", "x");
  write_file(temp / "file", "one");
  ASSERT_TRUE(repository->save("k", temp / "file"));
  EXPECT_FALSE(fs::exists(temp / "root/.staging/dead"));
  const auto second = make_folder_repository(temp / "root");
  ASSERT_TRUE(second->save("k2", temp / "file"));
  ASSERT_TRUE(repository->save("k3", temp / "file"));
  EXPECT_EQ(objects().size(), 3u);
}

TEST_F(FolderRepositoryTest, ThreadsMaySaveAndRemoveUnderOneFolder) {
  write_file(temp / "file", "one");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const std::string key = "shared/folder/" + std::to_string(i);
      for (int round = 0; round < 20; ++round) {
        EXPECT_TRUE(repository->save(key, temp / "file"));
        EXPECT_TRUE(repository->remove(key));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(objects().empty());
}

}  // namespace
}  // namespace tiphys::artifact

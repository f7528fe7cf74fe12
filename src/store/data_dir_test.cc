#include "store/data_dir.h"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>

#include "store/testing.h"

namespace tiphys::store {
namespace {

namespace fs = std::filesystem;

DataDirOptions options(const TempDir& temp) {
  return {.path = temp.path() + "/data", .command = "tiphys up"};
}

void write(const std::string& path, std::string_view text) {
  std::ofstream(path) << text;
}

TEST(DataDirLocate, TakesTheFirstThatIsNamed) {
  struct Case {
    const char* rule;
    std::string flag;
    std::map<std::string, std::string> environment;
    const char* path;
  };
  for (const auto& [rule, flag, environment, path] : {
           Case{"the flag", "/flag", {{"TIPHYS_DATA_DIR", "/variable"}, {"HOME", "/home/u"}}, "/flag"},
           Case{"the variable", "", {{"TIPHYS_DATA_DIR", "/variable"}, {"XDG_DATA_HOME", "/xdg"}}, "/variable"},
           Case{"XDG", "", {{"XDG_DATA_HOME", "/xdg"}, {"HOME", "/home/u"}}, "/xdg/tiphys"},
           Case{"a relative XDG path is ignored",
                "",
                {{"XDG_DATA_HOME", "xdg"}, {"HOME", "/home/u"}},
                "/home/u/.local/share/tiphys"},
           Case{"home", "", {{"HOME", "/home/u"}}, "/home/u/.local/share/tiphys"},
       }) {
    const auto located = DataDir::locate(flag, [&variables = environment](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::string() : found->second;
    });
    ASSERT_TRUE(located) << rule;
    EXPECT_EQ(*located, path) << rule;
  }
}

TEST(DataDir, IsMadeForThisUserOnly) {
  const TempDir temp;
  auto made = options(temp);
  made.path += "/deep/er/";
  const auto dir = DataDir::open(made);
  ASSERT_TRUE(dir) << dir.error().message;
  struct stat info{};
  ASSERT_EQ(::stat(dir->path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  EXPECT_EQ(dir->path(), temp.path() + "/data/deep/er");
  EXPECT_EQ(dir->pod("u1"), dir->path() + "/pods/u1");
  EXPECT_EQ(dir->database(), dir->path() + "/tiphys.db");
}

TEST(DataDir, ClosesADirectoryThatOthersCouldRead) {
  const TempDir temp;
  fs::create_directory(temp.path() + "/data");
  ::chmod((temp.path() + "/data").c_str(), 0755);
  ASSERT_TRUE(DataDir::open(options(temp)));
  struct stat info{};
  ASSERT_EQ(::stat((temp.path() + "/data").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST(DataDir, NamesWhoHasIt) {
  const TempDir temp;
  const auto first = DataDir::open(options(temp));
  ASSERT_TRUE(first);
  const auto second = DataDir::open(options(temp));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(second.error().message,
            "data directory " + first->path() + " is in use by pid " + std::to_string(::getpid()) + " (tiphys up)");
}

TEST(DataDir, IsFreeOnceItsOwnerIsGone) {
  const TempDir temp;
  {
    ASSERT_TRUE(DataDir::open(options(temp)));
  }
  EXPECT_TRUE(DataDir::open(options(temp)));
}

// A process takes the directory, forks a child that lives on, and dies without giving the directory free.
TEST(DataDir, IsNotKeptByAForkedChild) {
  const TempDir temp;
  std::array<int, 2> hold{};
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(hold.data()), 0);
  ASSERT_EQ(::pipe(ready.data()), 0);
  char byte = 0;
  const pid_t owner = ::fork();
  if (owner == 0) {
    ::close(hold[1]);
    const auto dir = DataDir::open(options(temp));
    if (!dir) ::_exit(1);
    if (::fork() == 0) {
      const bool told = ::write(ready[1], "r", 1) == 1;
      // Ends with the test, which closes the other end.
      ::_exit(told && ::read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    ::_exit(::read(ready[0], &byte, 1) == 1 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(owner, &status, 0), owner);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(DataDir::open(options(temp)));
  for (const int fd : {hold[0], hold[1], ready[0], ready[1]}) ::close(fd);
}

TEST(DataDir, RefusesWhatIsNotItsOwn) {
  const TempDir temp;
  struct Case {
    const char* rule;
    std::function<void(const std::string&)> prepare;
    Code code;
    const char* message;
  };
  int number = 0;
  for (const auto& [rule, prepare, code, message] : {
           Case{"a file", [](const std::string& path) { write(path, ""); }, Code::kFailedPrecondition,
                "is no directory; choose another directory"},
           Case{"a directory of something else",
                [](const std::string& path) {
                  fs::create_directory(path);
                  write(path + "/thesis.tex", "");
                },
                Code::kFailedPrecondition, "is no data directory of tiphys: it holds thesis.tex"},
           Case{"a newer layout",
                [](const std::string& path) {
                  fs::create_directory(path);
                  write(path + "/version", "7\n");
                },
                Code::kFailedPrecondition, "was written by a newer tiphys (layout 7, this one knows 1)"},
           Case{"a damaged version file",
                [](const std::string& path) {
                  fs::create_directory(path);
                  write(path + "/version", "seven");
                },
                Code::kDataLoss, "holds no version number"},
           Case{"a path through a file", [](const std::string& path) { write(path.substr(0, path.rfind('/')), ""); },
                Code::kInternal, "cannot be made: Not a directory; choose another directory"},
       }) {
    const std::string path = temp.path() + "/" + std::to_string(number++) + (code == Code::kInternal ? "/below" : "");
    prepare(path);
    const auto dir = DataDir::open({.path = path, .command = "tiphys up"});
    ASSERT_FALSE(dir) << rule;
    EXPECT_EQ(dir.error().code, code) << rule;
    EXPECT_NE(dir.error().message.find(message), std::string::npos) << dir.error().message;
  }
}

TEST(DataDir, MigratesStepByStep) {
  const TempDir temp;
  {
    ASSERT_TRUE(DataDir::open(options(temp)));
  }
  std::vector<int> steps;
  const std::array<LayoutMigration, 2> migrations{LayoutMigration{1,
                                                                  [&](const std::string&) {
                                                                    steps.push_back(1);
                                                                    return Status();
                                                                  }},
                                                  LayoutMigration{2, [&](const std::string&) {
                                                                    steps.push_back(2);
                                                                    return Status(fail(Code::kInternal, "no space"));
                                                                  }}};
  auto newer = options(temp);
  newer.layout_version = 3;
  newer.migrations = migrations;
  const auto failed = DataDir::open(newer);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("from layout 2: no space"), std::string::npos) << failed.error().message;
  // The step that was done is not done again.
  EXPECT_FALSE(DataDir::open(newer));
  EXPECT_EQ(steps, (std::vector<int>{1, 2, 2}));
}

/// Gives up the superuser's rights for a while: nothing would be forbidden.
class AsOrdinaryUser {
 public:
  static constexpr uid_t kNobody = 65534;
  AsOrdinaryUser() { change(kNobody); }
  ~AsOrdinaryUser() { change(0); }

 private:
  void change(uid_t user) {
    if (::getuid() == 0) {
      EXPECT_EQ(::seteuid(user), 0);
    }
  }
};

TEST(DataDir, SaysWhatToDoWhenItCannotBeUsed) {
  const TempDir temp;
  ::chmod(temp.path().c_str(), 0755);
  struct Case {
    const char* rule;
    mode_t mode;
    bool mine;
    const char* message;
  };
  int number = 0;
  for (const auto& [rule, mode, mine, message] : {
           Case{"not writable", 0500, true, " cannot be written: Permission denied; choose another directory with"},
           Case{"open to others, by another user", 0755, false,
                " is open to other users and cannot be closed to them: Operation not permitted; choose another"},
           Case{"of another user", 0700, false, " cannot be written: Permission denied; choose another directory with"},
       }) {
    if (!mine && ::getuid() != 0) continue;  // only the superuser can make another's directory
    const std::string path = temp.path() + "/" + std::to_string(number++);
    fs::create_directory(path);
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    if (mine && ::getuid() == 0) {
      ASSERT_EQ(::chown(path.c_str(), AsOrdinaryUser::kNobody, 0), 0);
    }
    const AsOrdinaryUser user;
    const auto dir = DataDir::open({.path = path, .command = "tiphys up"});
    ASSERT_FALSE(dir) << rule;
    EXPECT_EQ(dir.error().code, Code::kPermissionDenied) << rule;
    EXPECT_NE(dir.error().message.find("data directory " + path + message), std::string::npos) << dir.error().message;
  }
}

}  // namespace
}  // namespace tiphys::store

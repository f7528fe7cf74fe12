#include "node/agent/env_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "node/testing.h"

namespace tiphys::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

struct Row {
  const char* rule;
  const char* file;
  const char* value;  ///< of K
  const char* error = "";
};

constexpr Row kRows[] = {
    {"a quoted value", "K='v'\n", "v"},
    {"blanks before the name, blank lines and comments", "# K='no'\n\n  \t\n\t K='v'\nL='w'\n", "v"},
    {"nothing is an escape", "K='a\\n$HOME \"x\" # y=z'\n", "a\\n$HOME \"x\" # y=z"},
    {"several lines", "K='a\n\n  b'\n", "a\n\n  b"},
    {"a comment after the value", "K='v' # why\n", "v"},
    {"the last line without an end", "L='w'\nK='v'", "v"},
    {"carriage returns", "K='v'\r\n", "v"},
    {"the first of two", "K='v'\nK='w'\n", "v"},
    {"a blank ends an assignment", "K= 'v'\n", ""},
    {"not there", "L='w'\n", ""},
    {"an empty file", "", ""},
    {"lines after it do not matter", "K='v'\nnonsense\n", "v"},
    {"lines before it do", "L='w'\nnonsense\nK='v'\n", "", "at line 2: missing '='"},
    {"no name", "='v'\n", "", "at line 1: empty variable name"},
    {"a blank before the equals sign", "K ='v'\n", "", "at line 1: whitespace before '=' is not allowed"},
    {"no quotes", "\nK=v\n", "", "at line 2: value must be enclosed in single quotes"},
    {"nothing at all", "K=\n", "", "at line 1: value must be enclosed in single quotes"},
    {"other quotes", "K=\"v\"\n", "", "at line 1: value must be enclosed in single quotes"},
    {"two strings", "K='a''b'\n", "", "at line 1: unexpected content after closing quote"},
    {"no second quote", "L='w'\nK='v\nmore\n", "", "at line 2: unclosed single quote"},
    {"a quote that another line ends", "K='v\nL='w'\n", "", "at line 2: unexpected content after closing quote"},
};

TEST(EnvFile, ReadsWhatAShellWouldRead) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.rule);
    const auto value = env_file_value(row.file, "K");
    if (*row.error != '\0') {
      ASSERT_FALSE(value.has_value());
      EXPECT_THAT(value.error().message, HasSubstr(row.error));
      continue;
    }
    ASSERT_TRUE(value.has_value()) << value.error().message;
    EXPECT_EQ(*value, row.value);
  }
}

class FileKeys : public ::testing::Test {
 protected:
  FileKeys() { std::filesystem::create_directories(volume()); }

  std::string volume() const { return folder_.path() + "/v"; }
  void write(const std::string& path, std::string_view text) { std::ofstream(path) << text; }
  static doc::Value container(std::string_view more = "") {
    return doc::parse_json(R"({"name":"main","env":[{"name":"A","value":"1"},{"name":"X","valueFrom":{"fileKeyRef":{
        "volumeName":"v","path":"f","key":"K")" +
                           std::string(more) + "}}}]}")
        .value();
  }
  Result<FileValues> read(std::string_view more = "") { return read_file_keys(container(more), {{"v", {volume()}}}); }
  std::string error(std::string_view more = "") {
    const auto values = read(more);
    return values ? "" : values.error().message;
  }

  testing::TempFolder folder_;
};

TEST_F(FileKeys, AreValuesOfTheVolumesFile) {
  write(volume() + "/f", "K='v'\n");
  EXPECT_THAT(*read(), ElementsAre(Optional(std::string("v"))));
}

TEST_F(FileKeys, WhatIsMissingIsLeftOutOnlyWhereItMayBe) {
  write(volume() + "/f", "L='w'\nK=''\n");
  EXPECT_THAT(error(),
              HasSubstr("environment variable \"X\": environment variable key \"K\" not found in file \"f\" of "
                        "volume \"v\""));
  EXPECT_THAT(*read(R"(,"optional":true)"), ElementsAre(std::nullopt));
  std::filesystem::remove(volume() + "/f");
  EXPECT_THAT(error(R"(,"optional":true)"),
              HasSubstr("couldn't parse env file \"f\" of volume \"v\": open: No such file"));
}

TEST_F(FileKeys, LinksDoNotLeadOut) {
  write(folder_.path() + "/outside", "K='host'\n");
  std::filesystem::create_symlink(folder_.path() + "/outside", volume() + "/f");
  EXPECT_THAT(error(), HasSubstr("couldn't parse env file"));
  std::filesystem::remove(volume() + "/f");
  std::filesystem::create_symlink("/../there", volume() + "/f");
  write(volume() + "/there", "K='inside'\n");
  EXPECT_THAT(*read(), ElementsAre(Optional(std::string("inside"))));
}

TEST_F(FileKeys, OnlyFilesAreRead) {
  ASSERT_EQ(::mkfifo((volume() + "/f").c_str(), 0600), 0);
  EXPECT_THAT(error(), HasSubstr("not a regular file"));
}

TEST_F(FileKeys, HaveLimits) {
  write(volume() + "/f", "K='" + std::string(33 * 1024, 'x') + "'\n");
  EXPECT_THAT(error(), HasSubstr("exceeds maximum size of 32KB"));
  write(volume() + "/f", std::string(1024 * 1024 + 1, '\n'));
  EXPECT_THAT(error(), HasSubstr("1048577 bytes; 1048576 at most"));
}

TEST_F(FileKeys, OfAnAdoptedContainerStayWhatTheyWere) {
  write(volume() + "/f", "K='v'\n");
  const std::string kept = folder_.path() + "/variables/id";
  ASSERT_TRUE(keep_file_keys(container(), {{"v", {volume()}}}, kept).has_value());
  std::filesystem::remove(volume() + "/f");
  EXPECT_THAT(*keep_file_keys(container(), {{"v", {volume()}}}, kept), ElementsAre(Optional(std::string("v"))));
}

}  // namespace
}  // namespace tiphys::node

#include "node/supervisor/step_cgroups.h"

#include <gtest/gtest.h>

#include "node/testing.h"

namespace tiphys::node {
namespace {

using testing::read_file;
using testing::write_file;

/// Folders and files as the kernel would show them; a group that is made gets none of its files, so limits that must be
/// set fail, which is as far as a test without the kernel goes.
struct GroupCase {
  std::string name;
  std::vector<std::pair<std::string, std::string>> files;
  std::string own;
  bool memory;
  bool cpu;
};

class Groups : public ::testing::TestWithParam<GroupCase> {};

TEST_P(Groups, AreFound) {
  const testing::TempFolder root;
  for (const auto& [path, text] : GetParam().files) write_file(root.path() + "/" + path, text);
  StepCgroups groups(UniqueFd(::open(root.path().c_str(), O_RDONLY | O_DIRECTORY)), GetParam().own);
  groups.prepare();
  EXPECT_EQ(groups.limits_memory(), GetParam().memory);
  EXPECT_EQ(groups.limits_cpu(), GetParam().cpu);
}

INSTANTIATE_TEST_SUITE_P(
    Cgroups, Groups,
    ::testing::Values(
        GroupCase{"Version1", {{"memory/tasks", ""}, {"cpu/tasks", ""}}, "8:memory:/\n1:cpu,cpuacct:/\n", true, true},
        GroupCase{"Version1BelowItsOwnGroup", {{"memory/a/b/tasks", ""}}, "4:memory:/a/b\n", true, false},
        GroupCase{"Version1WhoseOwnGroupIsHidden", {{"memory/tasks", ""}}, "4:memory:/gone\n", true, false},
        GroupCase{
            "Version2AtTheRoot",
            {{"cgroup.controllers", "cpu memory"}, {"cgroup.subtree_control", "cpu memory\n"}, {"cgroup.procs", ""}},
            "0::/\n",
            true,
            true},
        GroupCase{"Version2AboveItsOwnGroup",
                  {{"cgroup.controllers", "cpu memory"},
                   {"user/slice/cgroup.subtree_control", "memory pids\n"},
                   {"user/slice/cgroup.procs", ""},
                   {"user/slice/shell.scope/cgroup.subtree_control", ""}},
                  "0::/user/slice/shell.scope\n",
                  true,
                  false},
        GroupCase{
            "Version2WithoutDelegation",
            {{"cgroup.controllers", "cpu memory"}, {"cgroup.subtree_control", ""}, {"a/cgroup.subtree_control", ""}},
            "0::/a\n",
            false,
            false},
        GroupCase{"None", {{"other", ""}}, "", false, false}),
    [](const auto& test) { return test.param.name; });

TEST(StepCgroups, GroupsOfDeadSupervisorsAreSweptAway) {
  const testing::TempFolder root;
  std::filesystem::create_directories(root.path() + "/memory/tiphys_999999999_1");
  std::filesystem::create_directories(root.path() + fmt::format("/memory/tiphys_{}_1", ::getppid()));
  std::filesystem::create_directories(root.path() + "/memory/other");
  StepCgroups groups(UniqueFd(::open(root.path().c_str(), O_RDONLY | O_DIRECTORY)), "");
  groups.prepare();
  EXPECT_FALSE(std::filesystem::exists(root.path() + "/memory/tiphys_999999999_1"));
  EXPECT_TRUE(std::filesystem::exists(root.path() + fmt::format("/memory/tiphys_{}_1", ::getppid())));
  EXPECT_TRUE(std::filesystem::exists(root.path() + "/memory/other"));
}

}  // namespace
}  // namespace tiphys::node

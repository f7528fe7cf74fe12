// Larger workflows of our own, in tests/golden: NAME.yaml with its objects, NAME.test.yaml with what pods do, NAME.tree
// with the nodes that come of it. TIPHYS_UPDATE_GOLDEN=1 writes the trees anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/check.h"
#include "base/log.h"
#include "doc/yaml.h"
#include "simulation/golden_world.h"

namespace tiphys::simulation {
namespace {

const std::filesystem::path kFolder = TIPHYS_GOLDEN_FOLDER;

std::string contents(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(text).str();
}

std::vector<doc::Document> documents(const std::filesystem::path& path) {
  auto read = doc::parse_yaml(contents(path), path.filename().string());
  TIPHYS_CHECK(read, read.error().message);
  return std::move(*read);
}

void check(const std::string& name) {
  SCOPED_TRACE(name);
  log::set_level(log::Level::kError);  // a crash is told with warnings
  const auto file = play::read_test_file(documents(kFolder / (name + ".test.yaml")).front());
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->tests.size(), 1u);
  GoldenRun run{.objects = {}, .test = &file->tests.front(), .mocks = &file->mocks, .crash_after = {}};
  for (doc::Document& each : documents(kFolder / (name + ".yaml"))) run.objects.push_back(std::move(each.root));

  const GoldenEnd straight = play_golden(run);
  EXPECT_EQ(straight.stands_still, "") << straight.tree;
  EXPECT_EQ(straight.phase, run.test->expect.phase) << straight.tree;
  EXPECT_NE(straight.tree.find(" Succeeded "), std::string::npos) << "it did not run: " << straight.tree;
  const std::filesystem::path golden = kFolder / (name + ".tree");
  if (std::getenv("TIPHYS_UPDATE_GOLDEN")) std::ofstream(golden, std::ios::binary) << straight.tree;
  EXPECT_EQ(straight.tree, contents(golden)) << "TIPHYS_UPDATE_GOLDEN=1 writes it anew";
  EXPECT_EQ(play_golden(run).status, straight.status) << "it replays";
  for (std::size_t commits = 0; commits < straight.commits && !testing::Test::HasFailure(); ++commits) {
    run.crash_after = commits;
    const GoldenEnd crashed = play_golden(run);
    EXPECT_EQ(crashed.stands_still, "");
    EXPECT_EQ(crashed.tree, straight.tree) << "after a crash that " << commits << " commits survive";
    EXPECT_EQ(crashed.status, straight.status) << "after a crash that " << commits << " commits survive";
  }
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, EndsInTheSameNodesWhereverItCrashes) {
  check(GetParam());
}

std::vector<std::string> names() {
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".test.yaml")) found.insert(name.substr(0, name.size() - std::string(".test.yaml").size()));
  }
  return {found.begin(), found.end()};
}

INSTANTIATE_TEST_SUITE_P(Workflows, Golden, testing::ValuesIn(names()), [](const auto& each) {
  std::string name = each.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace tiphys::simulation

// Manifests that a person might get wrong, each with what is said about it: tests/bad/NAME.yaml and NAME.txt.
// TIPHYS_UPDATE_GOLDEN=1 writes the texts anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/cron_workflow.h"

namespace tiphys::api {
namespace {

namespace fs = std::filesystem;

fs::path folder() {
  return fs::path(TIPHYS_SOURCE_DIR) / "tests" / "bad";
}

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// What is said, and whether there is an error in it.
std::pair<std::string, bool> judge(const fs::path& manifest) {
  const auto documents = doc::parse_yaml(contents(manifest), manifest.filename().string());
  if (!documents) return {documents.error().message + "\n", true};
  std::string said;
  bool wrong = false;
  for (const doc::Document& document : *documents) {
    std::vector<Finding> findings;
    const auto count = [&] {
      return std::count_if(findings.begin(), findings.end(),
                           [](const Finding& each) { return each.severity == Finding::Severity::kError; });
    };
    check_document(document.root, findings);
    wrong = wrong || count() > 0;
    said += render_findings(findings, document.marks);
  }
  return {said, wrong};
}

TEST(BadManifests, AreExplained) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder())) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    const auto [said, wrong] = judge(entry.path());
    EXPECT_TRUE(wrong) << entry.path().filename();
    const fs::path golden = fs::path(entry.path()).replace_extension(".txt");
    if (std::getenv("TIPHYS_UPDATE_GOLDEN")) {
      std::ofstream(golden, std::ios::binary) << said;
    }
    EXPECT_EQ(said, contents(golden)) << entry.path().filename();
  }
  EXPECT_GE(count, 20);
}

}  // namespace
}  // namespace tiphys::api

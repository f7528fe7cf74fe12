// Ours beside the originals: every row of tests/oracles/LANGUAGE.jsonl. A row with "differs" is one in which ours is
// another on purpose, for the reason that it gives.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "oracles/answer.h"

namespace tiphys::oracles {
namespace {

const std::filesystem::path kTables = std::filesystem::path(TIPHYS_SOURCE_DIR) / "tests" / "oracles";

const doc::Value& shared_document(const std::string& name) {
  static std::map<std::string, doc::Value> known;
  const auto [entry, fresh] = known.try_emplace(name);
  if (fresh) {
    std::ifstream file(kTables / "data" / (name + ".json"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    entry->second = doc::parse_json(text).value();
  }
  return entry->second;
}

class Tables : public testing::TestWithParam<std::string_view> {};

TEST_P(Tables, agree_with_the_original) {
  std::ifstream file(kTables / (std::string(GetParam()) + ".jsonl"));
  ASSERT_TRUE(file);
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    auto parsed = doc::parse_json(line);
    ASSERT_TRUE(parsed) << "line " << number << ": " << parsed.error().message;
    doc::Object& row = parsed->as_object();
    if (!row.contains("in") && !row.contains("dependencies")) continue;
    if (const auto with = row.find("with"); with != row.end() && with->value().is_string()) {
      with->value() = shared_document(std::string(with->value().get_string()));
    }
    const std::string wrong = difference(row, answer(GetParam(), row));
    const bool differs = row.contains("differs");
    if (wrong.empty() == differs) {
      ADD_FAILURE() << GetParam() << ".jsonl:" << number << ": "
                    << doc::to_json(row.contains("in") ? row["in"] : row["dependencies"]) << " "
                    << (differs ? "agrees, but is marked as one that differs" : wrong);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Oracles, Tables, testing::ValuesIn(languages()),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace tiphys::oracles

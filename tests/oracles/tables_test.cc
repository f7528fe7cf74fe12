// Ours beside the originals: every row of tests/oracles/LANGUAGE.jsonl. A row with "differs" is one in which ours is
// another on purpose, for the reason that it gives.
#include <gtest/gtest.h>

#include <fstream>

#include "oracles/answer.h"

namespace tiphys::oracles {
namespace {

const std::string kTables = TIPHYS_SOURCE_DIR "/tests/oracles/";

class Tables : public testing::TestWithParam<std::string_view> {};

TEST_P(Tables, agree_with_the_original) {
  std::ifstream file(kTables + std::string(GetParam()) + ".jsonl");
  ASSERT_TRUE(file);
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const auto row = read_row(line);
    ASSERT_TRUE(row) << "line " << number << ": " << row.error().message;
    if (!row->asks()) continue;
    const std::string wrong = difference(*row, answer(GetParam(), *row));
    const bool differs = row->fields.contains("differs");
    if (wrong.empty() == differs) {
      ADD_FAILURE() << GetParam() << ".jsonl:" << number << ": " << row->question() << " "
                    << (differs ? "agrees, but is marked as one that differs" : wrong);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Oracles, Tables, testing::ValuesIn(languages()),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace tiphys::oracles

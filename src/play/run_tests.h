// The tests of one file, played one after the other.
#pragma once

#include <string>
#include <vector>

#include "play/expect.h"
#include "play/test_file.h"
#include "play/workflow_set.h"

namespace tiphys::play {

struct TestResult {
  const Test* test = nullptr;
  std::vector<Difference> differences;
  std::string error;  ///< the test itself is wrong: findings, rendered
  Played played;      ///< empty when there is an error before it began
  bool passed() const { return error.empty() && differences.empty(); }
};

/// Plays one test.
TestResult run_test(const TestFile& file, const Test& test, const WorkflowSet& workflows);

/// Mocks that are for all tests and name a template or node of none of their workflows: findings, rendered; "": none.
std::string check_common_mocks(const TestFile& file, const WorkflowSet& workflows);

/// What mocks name and workflows lack: findings.
void check_mocks(const std::vector<Mock>& mocks, const KnownNames& known, std::vector<api::Finding>& findings);

}  // namespace tiphys::play

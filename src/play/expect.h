// What a test expects, held against what was played.
#pragma once

#include <string>
#include <vector>

#include "play/test_file.h"
#include "play/workflow_set.h"
#include "play/world.h"

namespace tiphys::play {

struct Difference {
  std::string pointer;  ///< in the test file
  std::string what;     ///< "nodes.train(0).phase"
  std::string expected, got;
};

std::vector<Difference> differences(const Expectation& expect, const Played& played);

/// Names in expectations that no node has, nor could have: findings.
void check_names(const Expectation& expect, const Played& played, const KnownNames& known,
                 std::vector<api::Finding>& findings);

}  // namespace tiphys::play

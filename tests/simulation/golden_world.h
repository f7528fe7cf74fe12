// One workflow in the real plane, with virtual time and pods that do what a test file says (docs/testing.md).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "doc/value.h"
#include "play/test_file.h"

namespace tiphys::simulation {

struct GoldenRun {
  std::vector<doc::Value> objects;  ///< in the order in which they are created; workflows among them
  const play::Test* test = nullptr;
  const std::vector<play::Mock>* mocks = nullptr;  ///< after the test's own
  std::optional<std::size_t> crash_after;          ///< so many commits; nothing: it does not crash
};

struct GoldenEnd {
  std::string phase;         ///< of the first workflow
  std::string status;        ///< of all workflows, as JSON, and which artifacts are left
  std::string tree;          ///< the same for a reader
  std::size_t commits = 0;   ///< from the first workflow on
  std::string stands_still;  ///< "": all have ended, and those with artifacts have gone once they were deleted
};

GoldenEnd play_golden(const GoldenRun& run);

}  // namespace tiphys::simulation

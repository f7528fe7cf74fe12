// Test files and the workflows that they name, from disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "play/test_file.h"
#include "play/workflow_set.h"

namespace tiphys::cli {

/// A test file with all that it needs.
struct LoadedTests {
  std::string path;
  play::TestFile file;
  play::WorkflowSet workflows;
};

/// An error's message is ready to print.
Result<std::unique_ptr<LoadedTests>> load_tests(const std::string& path);
/// A file of mocks alone, or of tests, whose common mocks are taken.
Result<play::TestFile> load_mocks(const std::string& path);
/// All documents of some files.
Result<std::vector<doc::Document>> load_documents(const std::vector<std::string>& paths);

}  // namespace tiphys::cli

// What `tiphys test` prints and writes of tests that have run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/play_files.h"
#include "cli/view/style.h"
#include "play/run_tests.h"

namespace tiphys::cli {

struct TestOutcome {
  play::TestResult result;
  Duration took{};  ///< on this machine
};

/// The tests of one file. `error` is one of the file itself, rendered.
struct FileOutcome {
  std::string path;
  std::unique_ptr<LoadedTests> loaded;  ///< null: it could not be read
  std::string error;
  std::vector<TestOutcome> tests;
};

struct TestReport {
  std::vector<FileOutcome> files;
  Duration took{};

  std::size_t count() const;
  std::size_t failed() const;
  std::size_t broken() const;  ///< files with an error
};

/// A file's tests, a line each; below one that failed, what differs and its nodes. `all_nodes`: below each.
std::string file_text(const FileOutcome& file, const Style& style, bool all_nodes);
std::string summary_text(const TestReport& report, const Style& style);
std::string to_json(const TestReport& report);
/// JUnit's XML, as build servers read it.
std::string to_junit(const TestReport& report);

}  // namespace tiphys::cli

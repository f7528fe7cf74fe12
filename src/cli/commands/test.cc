// tiphys test.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/unique_fd.h"
#include "cli/commands/common.h"
#include "cli/commands/test_report.h"
#include "cli/expand_files.h"
#include "cli/terminal.h"
#include "play/glob.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kExamples = R"(  tiphys test examples/coinflip.test.yaml
  tiphys test . --filter 'retry*' -v
  tiphys test . --junit results.xml
docs/testing.md tells what a test file says.
)";

bool is_test_file(std::string_view path) {
  return path.ends_with(".test.yaml") || path.ends_with(".test.yml");
}

/// A part of the name, or a glob of all of it.
bool chosen(const play::Test& test, const std::string& filter) {
  return test.name.find(filter) != std::string::npos || play::glob_match(filter, test.name);
}

FileOutcome run_file(const std::string& path, const std::string& filter) {
  FileOutcome outcome;
  outcome.path = path;
  auto loaded = load_tests(path);
  if (!loaded) {
    outcome.error = loaded.error().message;
    return outcome;
  }
  outcome.loaded = std::move(*loaded);
  const play::TestFile& file = outcome.loaded->file;
  outcome.error = play::check_common_mocks(file, outcome.loaded->workflows);
  if (!outcome.error.empty()) return outcome;
  for (const play::Test& test : file.tests) {
    if (!chosen(test, filter)) continue;
    const Time begun = system_now();
    play::TestResult result = play::run_test(file, test, outcome.loaded->workflows);
    outcome.tests.push_back({std::move(result), system_now() - begun});
  }
  return outcome;
}

Status write_file(const std::string& path, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return fail_errno(path, errno);
  while (!text.empty()) {
    const ssize_t count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(path, errno);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

int test_command(const Arguments& arguments) {
  Flags flags("test", "Run tests of workflows, without pods and in virtual time", std::string(kExamples));
  std::vector<std::string> names;
  std::string filter, junit, output;
  bool no_color = false, no_utf8 = false;
  flags.positional("FILE|DIR", names, 1, 100'000);
  flags.text("--filter", filter, "TEXT", "Only tests with this in their name; * and ? stand for anything");
  flags.text("--junit", junit, "FILE", "Write the results as JUnit's XML, too");
  flags.choice("-o,--output", output, {"text", "json"}, "Output format");
  flags.flag("--no-color", no_color, "Disable colorized output");
  flags.flag("--no-utf8", no_utf8, "Use plain 7-bits ascii characters");
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("test", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto files = expand_files(names, is_test_file);
  if (!files) return report("test", files.error());
  if (files->empty()) return report("test", {Code::kInvalidArgument, "there are no files *.test.yaml"});

  const Style style = choose_style(no_color, no_utf8);
  const Time begun = system_now();
  TestReport all;
  for (const std::string& file : *files) {
    FileOutcome outcome = run_file(file, filter);
    if (outcome.tests.empty() && outcome.error.empty()) continue;
    if (output != "json") print(file_text(outcome, style, log::enabled(log::Level::kDebug)));
    all.files.push_back(std::move(outcome));
  }
  all.took = system_now() - begun;
  if (all.files.empty())
    return report("test", {Code::kInvalidArgument, fmt::format("no test is called \"{}\"", filter)});
  print(output == "json" ? to_json(all) : summary_text(all, style));
  if (!junit.empty()) {
    if (const Status written = write_file(junit, to_junit(all)); !written) return report("test", written.error());
  }
  if (all.broken() > 0) return kBadUsage;
  return all.failed() > 0 ? kFailed : kSucceeded;
}

}  // namespace tiphys::cli

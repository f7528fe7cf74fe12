#include "cli/commands/test_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/markup.h"
#include "base/strings.h"
#include "cli/view/compact_tree.h"

namespace tiphys::cli {
namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string milliseconds(Duration duration) {
  return fmt::format("{:.1f}ms", seconds(duration) * 1000);
}

std::string indented(std::string_view text, std::string_view by) {
  std::string out;
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (const auto line : split(text, '\n')) out += fmt::format("{}{}\n", line.empty() ? "" : by, line);
  return out;
}

doc::Mark place_of(const play::Difference& difference, const doc::Marks& marks) {
  return marks.value(difference.pointer);
}

/// "file:line:column: nodes.train.phase", and both values below each other.
std::string difference_text(const play::Difference& difference, const doc::Marks& marks) {
  const doc::Mark mark = place_of(difference, marks);
  return fmt::format("{}:{}:{}: {}\n  expected  {}\n  got       {}\n", marks.file(), mark.line, mark.column,
                     difference.what.empty() ? "the workflow" : difference.what, printable(difference.expected),
                     printable(difference.got));
}

/// The nodes as `tiphys run` shows them, with the times of the played run.
std::string tree_text(const play::Played& played, const Style& style) {
  if (played.nodes.empty()) return "";
  NodeMap nodes;
  for (const api::NodeStatus& node : played.nodes) nodes.emplace(node.id, node);
  return compact_tree(played.nodes.front().name, nodes, style, played.end);
}

std::string failure_text(const play::TestResult& result, const doc::Marks& marks) {
  std::string text = result.error;
  for (const play::Difference& difference : result.differences) text += difference_text(difference, marks);
  return text;
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string junit_case(const FileOutcome& file, const TestOutcome& test) {
  const play::TestResult& result = test.result;
  std::string text = fmt::format(R"(    <testcase classname="{}" name="{}" time="{:.6f}")", escape_markup(file.path),
                                 escape_markup(result.test->name), seconds(test.took));
  if (result.passed()) return text + "/>\n";
  const std::string_view kind = result.error.empty() ? "failure" : "error";
  const std::string why = failure_text(result, file.loaded->file.marks);
  return text + fmt::format(">\n      <{0} message=\"{1}\">{2}</{0}>\n    </testcase>\n", kind,
                            escape_markup(first_line(why)),
                            escape_markup(why + tree_text(result.played, {.color = false, .utf8 = true})));
}

doc::Object json_of(const TestOutcome& test, const doc::Marks& marks) {
  const play::TestResult& result = test.result;
  doc::Object out{{"name", result.test->name}, {"passed", result.passed()}, {"seconds", seconds(test.took)}};
  if (!result.error.empty()) out["error"] = result.error;
  doc::Array differences;
  for (const play::Difference& difference : result.differences) {
    const doc::Mark mark = place_of(difference, marks);
    differences.push_back(doc::Object{{"line", mark.line},
                                      {"column", mark.column},
                                      {"what", difference.what},
                                      {"expected", difference.expected},
                                      {"got", difference.got}});
  }
  out["differences"] = std::move(differences);
  const play::Played& played = result.played;
  out["phase"] = engine::phase_name(played.status.phase);
  out["duration"] = seconds(played.end - played.start);
  doc::Array nodes;
  for (const api::NodeStatus& node : played.nodes) {
    const auto parsed = doc::parse_json(api::to_json(node));
    if (parsed) nodes.push_back(*parsed);
  }
  out["nodes"] = std::move(nodes);
  return out;
}

}  // namespace

std::size_t TestReport::count() const {
  std::size_t all = 0;
  for (const FileOutcome& file : files) all += file.tests.size();
  return all;
}

std::size_t TestReport::failed() const {
  std::size_t all = 0;
  for (const FileOutcome& file : files) {
    all += static_cast<std::size_t>(
        std::ranges::count_if(file.tests, [](const TestOutcome& test) { return !test.result.passed(); }));
  }
  return all;
}

std::size_t TestReport::broken() const {
  return static_cast<std::size_t>(std::ranges::count_if(files, [](const auto& file) { return !file.error.empty(); }));
}

std::string file_text(const FileOutcome& file, const Style& style, bool all_nodes) {
  std::string text = file.path + "\n";
  if (!file.error.empty()) {
    text += fmt::format(" {}\n{}", style.paint(style.utf8 ? "✖" : "Error", Color::kRed), indented(file.error, "   "));
  }
  std::size_t width = 0;
  for (const TestOutcome& test : file.tests) width = std::max(width, test.result.test->name.size());
  for (const TestOutcome& test : file.tests) {
    const bool passed = test.result.passed();
    const std::string icon = style.utf8 ? (passed ? "✔" : "✖") : (passed ? "ok    " : "failed");
    text += fmt::format(" {} {:<{}}  {}\n", style.paint(icon, passed ? Color::kGreen : Color::kRed),
                        printable(test.result.test->name), width, milliseconds(test.took));
    if (!passed) text += indented(failure_text(test.result, file.loaded->file.marks), "   ");
    const bool shows_nodes = all_nodes || (!passed && test.result.error.empty());
    if (shows_nodes) text += indented(tree_text(test.result.played, style), "   ");
  }
  return text;
}

std::string summary_text(const TestReport& report, const Style& style) {
  const std::size_t all = report.count(), failed = report.failed();
  std::string text = fmt::format("{} {}, {} passed", all, all == 1 ? "test" : "tests", all - failed);
  if (failed > 0) text += fmt::format(", {} failed", failed);
  if (report.broken() > 0)
    text += fmt::format(", {} not read", report.broken() == 1 ? "1 file" : fmt::format("{} files", report.broken()));
  const bool good = failed == 0 && report.broken() == 0;
  return style.paint(text, good ? Color::kGreen : Color::kRed) + fmt::format(" ({})\n", milliseconds(report.took));
}

std::string to_json(const TestReport& report) {
  doc::Array files;
  for (const FileOutcome& file : report.files) {
    doc::Array tests;
    for (const TestOutcome& test : file.tests) tests.push_back(json_of(test, file.loaded->file.marks));
    doc::Object out{{"file", file.path}, {"tests", std::move(tests)}};
    if (!file.error.empty()) out["error"] = file.error;
    files.push_back(std::move(out));
  }
  return doc::to_json(doc::Object{{"tests", report.count()},
                                  {"failed", report.failed()},
                                  {"seconds", seconds(report.took)},
                                  {"files", std::move(files)}}) +
         "\n";
}

std::string to_junit(const TestReport& report) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const FileOutcome& file : report.files) {
    std::size_t failures = 0, errors = file.error.empty() ? 0 : 1;
    double time = 0;
    std::string cases;
    for (const TestOutcome& test : file.tests) {
      if (!test.result.passed()) ++(test.result.error.empty() ? failures : errors);
      time += seconds(test.took);
      cases += junit_case(file, test);
    }
    if (!file.error.empty()) {
      cases += fmt::format(
          "    <testcase classname=\"{0}\" name=\"{0}\" time=\"0\">\n      <error message=\"{1}\">{2}"
          "</error>\n    </testcase>\n",
          escape_markup(file.path), escape_markup(first_line(file.error)), escape_markup(file.error));
    }
    const std::size_t tests = file.tests.size() + (file.error.empty() ? 0 : 1);
    text += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.6f}\">\n{}"
        "  </testsuite>\n",
        escape_markup(file.path), tests, failures, errors, time, cases);
  }
  return text + "</testsuites>\n";
}

}  // namespace tiphys::cli

#include "cli/commands/lint_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tiphys::cli {
namespace {

std::string object_name(const doc::Value& document) {
  std::string_view name = doc::find_string(document, "metadata", "name");
  if (name.empty()) name = doc::find_string(document, "metadata", "generateName");
  return fmt::format("\"{}\" ({})", name, doc::find_string(document, "kind"));
}

/// A number and the colon after it, taken off the front.
bool take_number(std::string_view& text, std::size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != ':') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

/// As GitHub reads its commands.
std::string escaped(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','))) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string github(const LintProblem& problem) {
  std::string place = "file=" + escaped(problem.file, true);
  if (problem.line > 0) place += fmt::format(",line={},col={}", problem.line, problem.column);
  return fmt::format("::{} {}::{}\n", problem.error ? "error" : "warning", place, escaped(problem.message, false));
}

std::string simple(const LintProblem& problem) {
  std::string text = problem.file + ":";
  if (problem.line > 0) text += fmt::format("{}:{}:", problem.line, problem.column);
  if (!problem.object.empty()) text += fmt::format(" in {}:", problem.object);
  return fmt::format("{} {}{}\n", text, problem.error ? "" : "warning: ", problem.message);
}

}  // namespace

void LintReport::add(const std::vector<api::Finding>& findings, const doc::Document& document) {
  const doc::Marks& marks = document.marks;
  const std::size_t first = problems.size();
  const std::string object = object_name(document.root);
  for (const api::Finding& finding : findings) {
    const doc::Mark mark = finding.at_key ? marks.key(finding.pointer) : marks.value(finding.pointer);
    const std::string shown = (finding.is_error() ? "" : "warning: ") + finding.message;
    problems.push_back({finding.is_error(), marks.file(), static_cast<std::size_t>(mark.line),
                        static_cast<std::size_t>(mark.column), object, finding.pointer, finding.message,
                        marks.render(mark, shown) + "\n"});
  }
  std::stable_sort(problems.begin() + static_cast<std::ptrdiff_t>(first), problems.end(),
                   [](const LintProblem& a, const LintProblem& b) {
                     return std::pair(a.line, a.column) < std::pair(b.line, b.column);
                   });
}

void LintReport::add_unreadable(const std::string& file, const std::string& message) {
  LintProblem problem;
  problem.file = file;
  problem.message = problem.shown = message;
  if (!problem.shown.ends_with('\n')) problem.shown += '\n';
  std::string_view rest = message;
  if (rest.starts_with(file + ":")) {
    rest.remove_prefix(file.size() + 1);
    if (take_number(rest, problem.line) && !take_number(rest, problem.column)) problem.line = 0;
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    problem.message = rest.substr(0, rest.find('\n'));
  }
  problems.push_back(std::move(problem));
  ++linted;
}

std::size_t LintReport::errors() const {
  return static_cast<std::size_t>(std::ranges::count_if(problems, &LintProblem::error));
}

std::string LintReport::json() const {
  doc::Array all;
  for (const LintProblem& problem : problems) {
    all.push_back(doc::Object{{"severity", problem.error ? "error" : "warning"},
                              {"file", problem.file},
                              {"line", problem.line},
                              {"column", problem.column},
                              {"object", problem.object},
                              {"pointer", problem.pointer},
                              {"message", problem.message}});
  }
  return doc::to_json(doc::Object{{"linted", linted},
                                  {"errors", errors()},
                                  {"warnings", problems.size() - errors()},
                                  {"problems", std::move(all)}}) +
         "\n";
}

std::string LintReport::render(LintFormat format, const Style& style) const {
  if (format == LintFormat::kJson) return json();
  std::string text;
  for (const LintProblem& problem : problems) {
    text += format == LintFormat::kPretty   ? problem.shown
            : format == LintFormat::kSimple ? simple(problem)
                                            : github(problem);
  }
  const bool pretty = format == LintFormat::kPretty;
  const std::string_view tick = pretty && style.utf8 ? "✔ " : "", cross = pretty && style.utf8 ? "✖ " : "";
  if (linted == 0) {
    const auto said = fmt::format("{}found nothing to lint in the specified paths, failing...", cross);
    return text + style.paint(said, Color::kRed) + "\n";
  }
  if (errors() == 0) return text + style.paint(tick, Color::kGreen) + "no linting errors found!\n";
  // As the original, whose simple form has nothing after the errors.
  if (!pretty) return text;
  return text + style.paint(fmt::format("{}{} linting errors found!", cross, errors()), Color::kRed) + "\n";
}

}  // namespace tiphys::cli

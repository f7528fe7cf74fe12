// tiphys lint.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "api/parse.h"
#include "cli/commands/common.h"
#include "cli/manifest.h"
#include "cli/terminal.h"

namespace tiphys::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 100'000;

struct Tally {
  std::size_t errors = 0;
  std::size_t linted = 0;
};

bool is_manifest(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

/// Files as they are, folders with all manifests below them.
Result<std::vector<std::string>> expand(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  for (const auto& argument : arguments) {
    std::error_code error;
    if (argument == "-" || !fs::is_directory(argument, error)) {
      files.push_back(argument);
      continue;
    }
    std::vector<std::string> found;
    for (fs::recursive_directory_iterator at(argument, error), end; !error && at != end; at.increment(error)) {
      if (at->is_regular_file(error) && is_manifest(at->path())) found.push_back(at->path().string());
      if (found.size() > kMostFiles) return fail(Code::kInvalidArgument, argument + ": too many files");
    }
    if (error) return fail(Code::kInvalidArgument, fmt::format("{}: {}", argument, error.message()));
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

void lint_document(const doc::Document& document, Tally& tally, std::string& text) {
  const std::string_view kind = doc::find_string(document.root, "kind");
  if (kind != "Workflow" && !kind.empty()) return;  // other kinds are others' business
  ++tally.linted;
  std::vector<api::Finding> findings;
  const auto is_error = [](const api::Finding& finding) { return finding.severity == api::Finding::Severity::kError; };
  const api::Workflow workflow = api::parse_workflow(document.root, findings);
  if (std::none_of(findings.begin(), findings.end(), is_error)) api::validate_workflow(workflow, findings);
  tally.errors += static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(), is_error));
  text += api::render_findings(findings, document.marks);
}

void lint_file(const std::string& file, Tally& tally) {
  const auto text = read_text(file);
  const auto documents = text ? doc::parse_yaml(*text, file == "-" ? "stdin" : file)
                              : Result<std::vector<doc::Document>>(std::unexpected(text.error()));
  if (!documents) {
    ++tally.linted;
    ++tally.errors;
    const std::string& message = documents.error().message;
    return print(message + (message.ends_with('\n') ? "" : "\n"));
  }
  std::string found;
  for (const auto& document : *documents) lint_document(document, tally, found);
  print(found);
}

int lint(const std::vector<std::string>& files, const Style& style) {
  Tally tally;
  for (const auto& file : files) lint_file(file, tally);
  const std::string_view tick = style.utf8 ? "✔ " : "", cross = style.utf8 ? "✖ " : "";
  if (tally.linted == 0) {
    print(style.paint(fmt::format("{}found nothing to lint in the specified paths, failing...", cross), Color::kRed) +
          "\n");
    return kBadUsage;
  }
  if (tally.errors > 0) {
    print(style.paint(fmt::format("{}{} linting errors found!", cross, tally.errors), Color::kRed) + "\n");
    return kBadUsage;
  }
  print(style.paint(tick, Color::kGreen) + "no linting errors found!\n");
  return kSucceeded;
}

}  // namespace

int lint_command(const Arguments& arguments) {
  Flags flags("lint", "Validate files or directories of manifests",
              "  tiphys lint ./manifests\n  cat wf.yaml | tiphys lint -\n");
  std::vector<std::string> names, kinds;
  std::string output, ns;
  bool strict = true, offline = false, no_color = false, no_utf8 = false;
  flags.positional("FILE", names, 1, 100'000);
  flags.choice("-o,--output", output, {"pretty", "simple"}, "Output format");
  flags.list("--kinds", kinds, "KIND,...", "Which kinds are checked (workflows)");
  flags.flag("--strict", strict, "Validate strictly (always so)");
  flags.flag("--offline", offline, "Validate without a server (always so)");
  flags.text("-n,--namespace", ns, "NAME", "Not used here");
  flags.flag("--no-color", no_color, "Disable colorized output");
  flags.flag("--no-utf8", no_utf8, "Use plain 7-bits ascii characters");
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("lint", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto files = expand(names);
  if (!files) return report("lint", files.error());
  return lint(*files, choose_style(no_color, no_utf8 || output == "simple"));
}

}  // namespace tiphys::cli

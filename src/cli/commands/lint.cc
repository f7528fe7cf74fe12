// tiphys lint, and lint of template and cluster-template.
#include "cli/commands/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <span>

#include "api/cron_workflow.h"
#include "api/parse.h"
#include "api/references.h"
#include "base/strings.h"
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

/// Those of the kinds, and what could not be read as a manifest at all.
bool chosen(const doc::Value& document, std::span<const std::string> kinds) {
  const std::string_view kind = doc::find_string(document, "kind");
  if (kind.empty()) return true;
  for (const auto* resource : {&cluster::kWorkflows, &cluster::kWorkflowTemplates, &cluster::kClusterWorkflowTemplates,
                               &cluster::kCronWorkflows}) {
    if (resource->kind == kind) return kinds.empty() || std::ranges::find(kinds, resource->plural) != kinds.end();
  }
  return false;  // other kinds are others' business
}

/// The templates of all files by what refers to them; a namespace tells none apart here.
using Templates = std::map<api::TemplateHolder, doc::Shared>;

void validate(const api::Workflow& workflow, const doc::Value& document, const Templates& templates,
              std::vector<api::Finding>& findings) {
  api::References references(workflow);
  bool known = true;
  while (!references.wanted().empty()) {
    const api::TemplateHolder holder = *references.wanted().begin();
    const auto found = templates.find(holder);
    known = known && found != templates.end();
    references.add(holder, found == templates.end() ? nullptr : found->second);
  }
  // What is not among the files may well be there.
  if (!known || references.error()) return api::validate_workflow(workflow, findings);
  std::vector<api::Finding> again;  // of the reading, which gave its findings before
  api::validate_workflow(api::parse_resolved_workflow(references.stored_in(document), again), findings,
                         {.references = true});
}

void validate(const api::CronWorkflow& cron, const Templates& templates, std::vector<api::Finding>& findings) {
  api::validate_cron_workflow(cron, findings);
  if (api::any_error(findings)) return;
  std::vector<api::Finding> of_workflow;
  validate(cron.workflow, *cron.workflow.document, templates, of_workflow);
  std::erase_if(of_workflow, [](const api::Finding& finding) { return !finding.is_error(); });  // warned of before
  std::ranges::move(api::place_in_cron_workflow(std::move(of_workflow)), std::back_inserter(findings));
}

std::string lint_document(const doc::Document& document, const Templates& templates, Tally& tally) {
  ++tally.linted;
  std::vector<api::Finding> findings;
  if (doc::find_string(document.root, "kind") == cluster::kCronWorkflows.kind) {
    const api::CronWorkflow cron = api::parse_cron_workflow(document.root, findings);
    if (!api::any_error(findings)) validate(cron, templates, findings);
  } else {
    const api::Workflow workflow = api::parse_workflow(document.root, findings);
    if (!api::any_error(findings)) validate(workflow, document.root, templates, findings);
  }
  tally.errors += static_cast<std::size_t>(std::ranges::count_if(findings, &api::Finding::is_error));
  return api::render_findings(findings, document.marks);
}

int lint(const std::vector<std::string>& files, std::span<const std::string> kinds, const Style& style) {
  Tally tally;
  std::vector<doc::Document> all;
  std::string unreadable;
  for (const auto& file : files) {
    const auto text = read_text(file);
    auto documents = text ? doc::parse_yaml(*text, file == "-" ? "stdin" : file)
                          : Result<std::vector<doc::Document>>(std::unexpected(text.error()));
    if (documents) {
      std::ranges::move(*documents, std::back_inserter(all));
      continue;
    }
    ++tally.linted;
    ++tally.errors;
    unreadable += documents.error().message + (documents.error().message.ends_with('\n') ? "" : "\n");
  }
  print(unreadable);
  Templates templates;
  for (const auto& document : all) {
    const cluster::Resource* resource = template_resource(document.root);
    if (!resource) continue;
    templates[{!resource->namespaced, std::string(doc::find_string(document.root, "metadata", "name"))}] =
        std::make_shared<const doc::Value>(document.root);
  }
  for (const auto& document : all) {
    if (chosen(document.root, kinds)) print(lint_document(document, templates, tally));
  }
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

int lint(const std::string& command, const std::string& summary, const Arguments& arguments, std::string_view kind) {
  Flags flags(command, summary, fmt::format("  tiphys {0} ./manifests\n  cat wf.yaml | tiphys {0} -\n", command));
  std::vector<std::string> names, kinds;
  std::string output, ns;
  bool strict = true, offline = false, no_color = false, no_utf8 = false;
  flags.positional("FILE", names, 1, 100'000);
  flags.choice("-o,--output", output, {"pretty", "simple"}, "Output format");
  if (kind.empty()) {
    flags.list("--kinds", kinds, "KIND,...",
               "Which kinds are checked: workflows, workflowtemplates, clusterworkflowtemplates, cronworkflows "
               "(default: all)");
  }
  flags.flag("--strict", strict, "Validate strictly (always so)");
  flags.flag("--offline", offline, "Validate without a server (always so)");
  flags.text("-n,--namespace", ns, "NAME", "Not used here");
  flags.flag("--no-color", no_color, "Disable colorized output");
  flags.flag("--no-utf8", no_utf8, "Use plain 7-bits ascii characters");
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report(command, parsed.error());
  if (!*parsed) return kSucceeded;
  kinds = split_commas(kinds);
  if (!kind.empty()) kinds.emplace_back(kind);
  std::erase(kinds, "all");
  const auto files = expand(names);
  if (!files) return report(command, files.error());
  return lint(*files, kinds, choose_style(no_color, no_utf8 || output == "simple"));
}

}  // namespace

int lint_command(const Arguments& arguments) {
  return lint("lint", "Validate files or directories of manifests", arguments, "");
}

int lint_kind(const std::string& command, std::string_view plural, const Arguments& arguments) {
  return lint(command, fmt::format("Validate files or directories of {}", plural), arguments, plural);
}

}  // namespace tiphys::cli

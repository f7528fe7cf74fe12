// tiphys lint, and lint of template and cluster-template.
#include "cli/commands/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "api/cron_workflow.h"
#include "api/kinds.h"
#include "api/parse.h"
#include "api/references.h"
#include "argo/ask.h"
#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/commands/lint_report.h"
#include "cli/expand_files.h"
#include "cli/manifest.h"
#include "cli/terminal.h"

namespace tiphys::cli {
namespace {

/// How they are looked at.
struct LintOptions {
  Session* session = nullptr;      ///< of a server that judges them, too; null: none
  std::string ns;                  ///< for the server
  std::vector<std::string> kinds;  ///< plurals or short names; empty: all
  LintFormat format = LintFormat::kPretty;
  bool strict = true;    ///< unknown fields are errors
  bool offline = false;  ///< what is referred to and not among the files is not there
  Style style;
};

const api::Kind* find_kind(std::string_view name) {
  for (const api::Kind& kind : api::kinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

/// A document without one of our kinds that was probably meant to have one.
bool meant_for_us(const doc::Value& document) {
  if (!document.is_object()) return false;
  const std::string_view kind = doc::find_string(document, "kind");
  const bool ours = doc::find_string(document, "apiVersion") == api::kApiVersion;
  if (kind.empty()) return ours || doc::find(document, "spec", "templates");
  std::vector<std::string> known;
  for (const api::Kind& each : api::kinds()) known.emplace_back(each.name);
  return ours && nearest(kind, known);
}

bool chosen(const doc::Value& document, std::span<const std::string> kinds) {
  const api::Kind* kind = find_kind(doc::find_string(document, "kind"));
  if (!kind) return meant_for_us(document);
  return kinds.empty() || std::ranges::find(kinds, kind->plural) != kinds.end() ||
         std::ranges::find(kinds, kind->short_name) != kinds.end();
}

/// The templates of all files by what refers to them; a namespace tells none apart here.
using Templates = std::map<api::TemplateHolder, doc::Shared>;

/// True when it refers to templates of the files, which a server need not have.
bool validate(const api::Workflow& workflow, const doc::Value& document, const Templates& templates, bool offline,
              std::vector<api::Finding>& findings) {
  api::References references(workflow);
  bool known = true, of_files = false;
  while (!references.wanted().empty()) {
    const api::TemplateHolder holder = *references.wanted().begin();
    const auto found = templates.find(holder);
    known = known && found != templates.end();
    of_files = of_files || found != templates.end();
    references.add(holder, found == templates.end() ? nullptr : found->second);
  }
  if (offline && references.error()) {
    findings.push_back({.pointer = "/spec/workflowTemplateRef", .message = references.error()->message});
    return of_files;
  }
  // What is not among the files may well be there.
  if (references.error() || (!known && !offline)) {
    api::validate_workflow(workflow, findings, {.lint = true});
    return of_files;
  }
  std::vector<api::Finding> again;  // of the reading, which gave its findings before
  api::validate_workflow(api::parse_resolved_workflow(references.stored_in(document), again), findings,
                         {.references = true, .lint = true});
  return of_files;
}

bool validate(const api::CronWorkflow& cron, const Templates& templates, bool offline,
              std::vector<api::Finding>& findings) {
  api::validate_cron_workflow(cron, findings);
  if (api::any_error(findings)) return false;
  std::vector<api::Finding> of_workflow;
  const bool of_files = validate(cron.workflow, *cron.workflow.document, templates, offline, of_workflow);
  for (api::Finding& finding : api::place_in_cron_workflow(std::move(of_workflow))) {
    const auto told = [&](const api::Finding& other) {
      return other.pointer == finding.pointer && other.message == finding.message;
    };
    if (std::ranges::none_of(findings, told)) findings.push_back(std::move(finding));
  }
  return of_files;
}

/// What the server says of it. An error is the call's own.
Status ask_server(const doc::Value& document, const LintOptions& options, std::vector<api::Finding>& findings) {
  struct LintMethod {
    const cluster::Resource& resource;
    const char *service, *method, *member;
  };
  static const LintMethod kMethods[] = {
      {cluster::kWorkflows, argo::kWorkflowService, "LintWorkflow", "workflow"},
      {cluster::kWorkflowTemplates, argo::kTemplateService, "LintWorkflowTemplate", "template"},
      {cluster::kClusterWorkflowTemplates, argo::kClusterTemplateService, "LintClusterWorkflowTemplate", "template"},
      {cluster::kCronWorkflows, argo::kCronService, "LintCronWorkflow", "cronWorkflow"}};
  const std::string_view kind = doc::find_string(document, "kind");
  const auto* method =
      std::ranges::find_if(kMethods, [&](const LintMethod& each) { return each.resource.kind == kind; });
  if (method == std::end(kMethods)) return {};
  const std::string_view own = doc::find_string(document, "metadata", "namespace");
  doc::Object request{{method->member, document}};
  if (method->resource.namespaced) request["namespace"] = own.empty() ? std::string_view(options.ns) : own;
  const auto judged = ask(*options.session, method->service, method->method, std::move(request));
  if (judged) return {};
  const Code code = judged.error().code;
  if (code == Code::kUnavailable || code == Code::kUnauthenticated || code == Code::kPermissionDenied ||
      code == Code::kUnimplemented) {
    return std::unexpected(judged.error());
  }
  findings.push_back({.pointer = "", .message = judged.error().message});
  return {};
}

Status lint_document(const doc::Document& document, const Templates& templates, const LintOptions& options,
                     LintReport& report) {
  ++report.linted;
  std::vector<api::Finding> findings;
  const auto any_error = [&] {
    for (api::Finding& finding : findings) {
      if (finding.unknown_field && !options.strict) finding.severity = api::Finding::Severity::kWarning;
    }
    return api::any_error(findings);
  };
  bool of_files = false;
  if (doc::find_string(document.root, "kind") == cluster::kCronWorkflows.kind) {
    const api::CronWorkflow cron = api::parse_cron_workflow(document.root, findings);
    if (!any_error()) of_files = validate(cron, templates, options.offline, findings);
  } else {
    const api::Workflow workflow = api::parse_workflow(document.root, findings);
    if (!any_error()) of_files = validate(workflow, document.root, templates, options.offline, findings);
  }
  if (options.session && !of_files && !any_error()) TIPHYS_CHECK_OK(ask_server(document.root, options, findings));
  report.add(findings, document);
  return {};
}

std::vector<doc::Document> read_all(const std::vector<std::string>& files, LintReport& report) {
  std::vector<doc::Document> all;
  for (const auto& file : files) {
    const std::string shown = file == "-" ? "stdin" : file;
    const auto text = read_text(file);
    auto documents =
        text ? doc::parse_yaml(*text, shown) : Result<std::vector<doc::Document>>(std::unexpected(text.error()));
    if (documents) {
      std::ranges::move(*documents, std::back_inserter(all));
    } else {
      report.add_unreadable(shown, documents.error().message);
    }
  }
  return all;
}

/// Those of all files; one that is there twice is an error.
Templates collect_templates(const std::vector<doc::Document>& all, LintReport& report) {
  Templates templates;
  std::map<std::string, std::string> first;
  for (const auto& document : all) {
    const cluster::Resource* resource = template_resource(document.root);
    const std::string name(doc::find_string(document.root, "metadata", "name"));
    if (!resource || name.empty()) continue;
    templates[{!resource->namespaced, name}] = std::make_shared<const doc::Value>(document.root);
    const std::string_view ns = doc::find_string(document.root, "metadata", "namespace");
    const auto [other, fresh] = first.emplace(fmt::format("{}/{}/{}", resource->kind, ns, name), document.marks.file());
    if (fresh) continue;
    report.add({{.pointer = "/metadata/name",
                 .message = fmt::format("duplicate {} found: \"{}\"; the other is in {}", resource->kind, name,
                                        other->second)}},
               document);
  }
  return templates;
}

Result<int> lint(const std::vector<std::string>& files, const LintOptions& options) {
  LintReport report;
  const std::vector<doc::Document> all = read_all(files, report);
  const Templates templates = collect_templates(all, report);
  for (const auto& document : all) {
    if (chosen(document.root, options.kinds)) TIPHYS_CHECK_OK(lint_document(document, templates, options, report));
  }
  print(report.render(options.format, options.style));
  return report.good() ? kSucceeded : kFailed;
}

/// "" when all are known.
std::string unknown_kind(const std::vector<std::string>& kinds) {
  std::vector<std::string> known;
  for (const api::Kind& kind : api::kinds()) {
    known.emplace_back(kind.plural);
    known.emplace_back(kind.short_name);
  }
  for (const std::string& kind : kinds) {
    if (std::ranges::find(known, kind) == known.end()) {
      return fmt::format("unknown kind: {}{}", kind, did_you_mean(kind, known));
    }
  }
  return "";
}

int lint(const std::string& command, const std::string& summary, const Arguments& arguments, std::string_view kind) {
  Flags flags(command, summary, fmt::format("  tiphys {0} ./manifests\n  cat wf.yaml | tiphys {0} -\n", command));
  LintOptions options;
  std::vector<std::string> names;
  std::string output;
  CommonFlags common;
  flags.positional("FILE", names, 1, 100'000);
  flags.choice("-o,--output", output, {"pretty", "simple", "json", "github"}, "Output format");
  if (kind.empty()) {
    std::vector<std::string> plurals;
    for (const api::Kind& each : api::kinds()) plurals.emplace_back(each.plural);
    flags.list("--kinds", options.kinds, "KIND,...",
               fmt::format("Which kinds are checked: {} (default: all)", join(plurals, ", ")));
  }
  flags.flag("--strict", options.strict, "Unknown fields are errors (default: true); --strict=false warns of them");
  flags.flag("--offline", options.offline, "What is referred to must be among the files");
  common.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report(command, parsed.error());
  if (!*parsed) return kSucceeded;
  options.kinds = split_commas(options.kinds);
  if (!kind.empty()) options.kinds.emplace_back(kind);
  if (std::ranges::find(options.kinds, "all") != options.kinds.end()) options.kinds.clear();
  if (const std::string wrong = unknown_kind(options.kinds); !wrong.empty()) {
    return report(command, Error{Code::kInvalidArgument, wrong});
  }
  options.format = output == "simple"   ? LintFormat::kSimple
                   : output == "json"   ? LintFormat::kJson
                   : output == "github" ? LintFormat::kGithub
                                        : LintFormat::kPretty;
  options.style = choose_style(common.no_color || options.format != LintFormat::kPretty, common.no_utf8);
  const auto files = expand_files(names, is_manifest);
  if (!files) return report(command, files.error());
  const auto code = [&]() -> Result<int> {
    TIPHYS_TRY(const PlaceKind kind, common.session.kind());
    const bool alone = options.offline || kind == PlaceKind::kDirectory || kind == PlaceKind::kTiphysServer;
    if (alone) return lint(*files, options);
    Loop loop;
    TIPHYS_TRY(const auto session, open_session(loop, common.session, Need::kRead));
    options.session = session.get();
    options.ns = common.chosen_namespace();
    return lint(*files, options);
  }();
  return code ? *code : report(command, code.error());
}

}  // namespace

int lint_command(const Arguments& arguments) {
  return lint("lint", "Validate files or directories of manifests", arguments, "");
}

int lint_kind(const std::string& command, std::string_view plural, const Arguments& arguments) {
  return lint(command, fmt::format("Validate files or directories of {}", plural), arguments, plural);
}

}  // namespace tiphys::cli

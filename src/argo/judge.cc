#include "argo/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "api/cron_workflow.h"
#include "api/join.h"
#include "base/strings.h"
#include "cluster/resource.h"
#include "controllers/fetch_references.h"

namespace tiphys::argo {
namespace {

bool is_workflow(const doc::Value& document) {
  return doc::find_string(document, "kind") == cluster::kWorkflows.kind;
}

bool is_cron(const doc::Value& document) {
  return doc::find_string(document, "kind") == cluster::kCronWorkflows.kind;
}

bool tells(const Findings& list, const api::Finding& wanted) {
  return std::ranges::find(list, wanted.message, &api::Finding::message) != list.end();
}

/// The findings of a workflow, or of a CronWorkflow's, that holds all that the plane adds. Those that it has alone keep
/// their places.
void add_defaults(const doc::Value& document, const doc::Value& defaults, Findings& findings) {
  const bool cron = is_cron(document);
  const auto whole =
      cron ? api::cron_with_workflow_defaults(document, defaults) : api::with_workflow_defaults(document, defaults);
  if (!whole) return;  // so is the document alone
  Findings completed;
  api::check_document(*whole, completed);
  std::erase_if(findings, [&](const api::Finding& finding) { return !tells(completed, finding); });
  for (api::Finding& finding : completed) {
    if (!finding.is_error() || tells(findings, finding)) continue;
    finding.pointer = cron ? "/spec/workflowSpec" : "/spec";
    finding.message += " (with workflowDefaults)";
    findings.push_back(std::move(finding));
  }
}

/// "/spec/templates/0/name" as people write it: "spec.templates[0].name".
std::string field_path(std::string_view pointer) {
  std::string path;
  if (!pointer.empty()) pointer.remove_prefix(1);
  for (const std::string_view step : split(pointer, '/')) {
    const bool index = !step.empty() && std::ranges::all_of(step, [](char c) { return c >= '0' && c <= '9'; });
    path += index ? fmt::format("[{}]", step) : fmt::format("{}{}", path.empty() ? "" : ".", step);
  }
  return path;
}

Status status_of(const Findings& findings) {
  std::string text;
  for (const api::Finding& finding : findings) {
    if (!finding.is_error()) continue;
    // The original's words have the place in them.
    const bool has_place = finding.message.starts_with("spec.") || finding.message.starts_with("templates.");
    const std::string path = has_place ? "" : field_path(finding.pointer);
    text += fmt::format("{}{}{}{}", text.empty() ? "" : "\n", path, path.empty() ? "" : ": ", finding.message);
  }
  if (text.empty()) return {};
  return fail(Code::kInvalidArgument, std::move(text));
}

void pass_over(Findings& findings, const Judging& how) {
  std::erase_if(findings,
                [&](const api::Finding& one) { return !one.is_error() || (one.unknown_field && !how.unknown_fields); });
}

/// Gets what is wanted, one after the other, and judges then.
void judge_with_templates(cluster::Cluster& cluster, std::shared_ptr<Referring> referring, const Judging& how,
                          cluster::Done<void> done) {
  if (referring->wanted().empty()) {
    Findings findings = referring->judge(how.lint);
    pass_over(findings, how);
    return done(status_of(findings));
  }
  const api::TemplateHolder holder = *referring->wanted().begin();
  cluster.get(controllers::key_of(holder, referring->ns()),
              [&cluster, referring, holder, how, done = std::move(done)](Result<cluster::Object> found) mutable {
                if (!found && found.error().code != Code::kNotFound) return done(std::unexpected(found.error()));
                referring->add(holder, found ? *found : nullptr);
                judge_with_templates(cluster, std::move(referring), how, std::move(done));
              });
}

}  // namespace

Findings judge_alone(const doc::Value& document, const doc::Shared& defaults) {
  Findings findings;
  api::check_document(document, findings);
  if (defaults && (is_workflow(document) || is_cron(document))) add_defaults(document, *defaults, findings);
  return findings;
}

Result<Referring> Referring::read(const doc::Value& document, const doc::Shared& defaults) {
  const bool cron = is_cron(document);
  doc::Value whole = cron ? api::make_workflow(document, "", "") : document;
  if (!defaults || !(cron || is_workflow(document))) return Referring(cron, std::move(whole), nullptr);
  TIPHYS_TRY(whole, api::with_workflow_defaults(whole, *defaults));
  return Referring(cron, std::move(whole), api::spec_of_defaults(defaults));
}

Referring::Referring(bool cron, doc::Value document, doc::Shared spec_defaults)
    : cron_(cron),
      document_(std::move(document)),
      workflow_(api::parse_workflow(document_, reading_)),
      references_(workflow_, std::move(spec_defaults)) {}

Findings Referring::judge(bool lint) const {
  Findings findings;
  if (const auto& error = references_.error()) {
    findings.push_back({.pointer = "/spec/workflowTemplateRef", .message = error->message});
  } else {
    api::validate_workflow(api::parse_resolved_workflow(references_.stored_in(document_), findings), findings,
                           {.references = true, .lint = lint});
  }
  std::erase_if(findings, [](const api::Finding& finding) { return !finding.is_error(); });
  return cron_ ? api::place_in_cron_workflow(std::move(findings)) : findings;
}

void judge(cluster::Cluster& cluster, const doc::Value& document, const Judging& how, cluster::Done<void> done) {
  Findings findings = judge_alone(document, how.defaults);
  pass_over(findings, how);
  if (const Status alone = status_of(findings); !alone) return done(alone);
  auto referring = Referring::read(document, how.defaults);
  if (!referring) return done(std::unexpected(referring.error()));
  judge_with_templates(cluster, std::make_shared<Referring>(std::move(*referring)), how, std::move(done));
}

}  // namespace tiphys::argo

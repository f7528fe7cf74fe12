#include "play/workflow_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/cron_workflow.h"
#include "api/kinds.h"
#include "api/parse.h"
#include "api/references.h"
#include "api/variables.h"
#include "base/strings.h"
#include "controllers/workflow_metadata.h"

namespace tiphys::play {
namespace {

std::string_view kind_of(const doc::Value& document) {
  return doc::find_string(document, "kind");
}

bool is_workflow(const doc::Value& document) {
  const std::string_view kind = kind_of(document);
  return kind == "Workflow" || (kind.empty() && doc::find(document, "spec"));
}

bool holds_workflow(const doc::Value& document) {
  return is_workflow(document) ||
         std::ranges::any_of(api::kinds(), [&](const api::Kind& kind) { return kind.name == kind_of(document); });
}

std::string without_dash(std::string_view name) {
  return std::string(name.ends_with('-') ? name.substr(0, name.size() - 1) : name);
}

std::string name_of(const doc::Value& document) {
  const std::string_view name = doc::find_string(document, "metadata", "name");
  return name.empty() ? without_dash(doc::find_string(document, "metadata", "generateName")) : std::string(name);
}

/// What would be submitted: of a template, a workflow that refers to it.
doc::Value to_workflow(const doc::Value& document, Time start) {
  if (is_workflow(document)) return document;
  if (kind_of(document) == "CronWorkflow") return api::make_workflow(document, "", format_rfc3339(start));
  const std::string name = name_of(document);
  doc::Object ref{{"name", name}};
  if (kind_of(document) == "ClusterWorkflowTemplate") ref["clusterScope"] = true;
  return doc::Object{{"apiVersion", api::kApiVersion},
                     {"kind", "Workflow"},
                     {"metadata", doc::Object{{"generateName", name + "-"}}},
                     {"spec", doc::Object{{"workflowTemplateRef", std::move(ref)}}}};
}

void add_step(const api::Step& step, KnownNames& out);

void add_hooks(const std::string& name, const std::optional<api::LifecycleHook>& exit,
               const std::vector<api::LifecycleHook>& hooks, KnownNames& out) {
  if (exit) out.nodes.insert(name + ".onExit");
  for (const api::LifecycleHook& hook : hooks) out.nodes.insert(name + ".hooks." + hook.name);
}

void add_steps(const api::Template& tmpl, KnownNames& out) {
  for (const api::StepGroup& group : tmpl.steps) {
    for (const api::Step& step : group) add_step(step, out);
  }
  for (std::size_t i = 0; i < tmpl.steps.size(); ++i) out.nodes.insert(fmt::format("[{}]", i));
  if (!tmpl.dag) return;
  for (const api::Step& task : tmpl.dag->tasks) add_step(task, out);
}

void add_step(const api::Step& step, KnownNames& out) {
  out.nodes.insert(step.name);
  add_hooks(step.name, step.exit, step.hooks, out);
  if (step.inline_template) add_steps(*step.inline_template, out);
}

void add_template(const api::Template& tmpl, KnownNames& out) {
  out.templates.insert(tmpl.name);
  if (!tmpl.display_name.empty()) out.nodes.insert(tmpl.display_name);
  if (tmpl.steps.empty() && !tmpl.dag) out.leaves.insert(tmpl.name);
  add_steps(tmpl, out);
}

/// Without the parts in round brackets that loops and retries add.
std::string without_turns(std::string_view name) {
  std::string out;
  int depth = 0;
  for (const char c : name) {
    if (c == '(') ++depth;
    if (depth == 0) out += c;
    if (c == ')' && depth > 0) --depth;
  }
  return out;
}

/// Some text that fits both globs may exist: exact for a glob without stars, generous with them.
bool may_be(std::string_view glob, std::string_view name) {
  const auto star = glob.find_first_of("*?");
  if (star == std::string_view::npos) return glob == name || (api::has_tag(name) && api::may_become(name, glob));
  name = name.substr(0, name.find("{{"));
  return name.starts_with(glob.substr(0, star)) || glob.substr(0, star).starts_with(name);
}

}  // namespace

void KnownNames::add(const KnownNames& other) {
  templates.insert(other.templates.begin(), other.templates.end());
  leaves.insert(other.leaves.begin(), other.leaves.end());
  template_refs.insert(other.template_refs.begin(), other.template_refs.end());
  nodes.insert(other.nodes.begin(), other.nodes.end());
  workflows.insert(other.workflows.begin(), other.workflows.end());
}

/// It begins, or may begin, with a workflow's name and something behind it.
bool KnownNames::may_be_whole(std::string_view glob) const {
  const std::string_view start = glob.substr(0, glob.find_first_of("*?"));
  return std::ranges::any_of(workflows, [&](const std::string& name) {
    if (start.size() <= name.size()) return start.size() < glob.size() && name.starts_with(start);
    return start.starts_with(name) && (start[name.size()] == '.' || start[name.size()] == '[');
  });
}

bool KnownNames::may_name(std::string_view glob) const {
  const std::string plain = without_turns(glob);
  const auto known = [&](std::string_view part) {
    return std::ranges::any_of(nodes, [&](const std::string& name) { return may_be(part, name); });
  };
  if (known(plain)) return true;
  if (!may_be_whole(plain)) return false;
  // Any of its ends may be a display name.
  std::string_view rest = plain;
  for (;;) {
    const auto next = rest.find_first_of(".[", 1);
    if (next == std::string_view::npos) return false;
    rest.remove_prefix(rest[next] == '.' ? next + 1 : next);
    if (rest.empty()) return false;
    if (known(rest)) return true;
  }
}

std::string KnownNames::no_node(std::string_view glob, std::vector<std::string> more) const {
  more.insert(more.end(), nodes.begin(), nodes.end());
  std::string hint = did_you_mean(glob, more);
  if (hint.empty() && !workflows.empty()) {
    hint = fmt::format(": write a display name, or a whole name, which begins with \"{}\"", *workflows.begin());
  }
  return fmt::format("no node is called \"{}\"{}", glob, hint);
}

WorkflowSet::WorkflowSet(std::vector<doc::Document> documents) : documents_(std::move(documents)) {
  for (const doc::Document& document : documents_) {
    const bool of_cluster = kind_of(document.root) == "ClusterWorkflowTemplate";
    if (!of_cluster && kind_of(document.root) != "WorkflowTemplate") continue;
    templates_[{of_cluster, name_of(document.root)}] = std::make_shared<const doc::Value>(document.root);
  }
}

const doc::Document* WorkflowSet::find(const std::string& name) const {
  const doc::Document* only = nullptr;
  for (const bool workflows : {true, false}) {
    std::size_t count = 0;
    for (const doc::Document& document : documents_) {
      if (!holds_workflow(document.root) || is_workflow(document.root) != workflows) continue;
      if (!name.empty() && name_of(document.root) == without_dash(name)) return &document;
      ++count;
      only = &document;
    }
    if (name.empty() && count > 0) return count == 1 ? only : nullptr;
  }
  return nullptr;
}

void WorkflowSet::look_up(api::References& references) const {
  while (!references.wanted().empty()) {
    const api::TemplateHolder holder = *references.wanted().begin();
    const auto found = templates_.find(holder);
    references.add(holder, found == templates_.end() ? nullptr : found->second);
  }
}

Result<api::FoundTemplates> WorkflowSet::find_template(const api::Workflow& workflow,
                                                       const api::TemplateRef& ref) const {
  api::References references(workflow, ref);
  look_up(references);
  return api::found_templates(workflow, ref, references);
}

KnownNames WorkflowSet::known_names(const api::Workflow& workflow) const {
  KnownNames out;
  out.nodes.insert(workflow.name);
  out.workflows.insert(workflow.name);
  add_hooks(workflow.name, workflow.spec.exit, workflow.spec.hooks, out);
  for (const auto& tmpl : workflow.spec.templates) add_template(*tmpl, out);
  for (const auto& [key, tmpl] : workflow.stored_templates) {
    add_template(*tmpl, out);
    out.template_refs.insert(key.substr(key.find('/') + 1));
  }
  if (!api::refers_at_run_time(workflow)) return out;
  for (const auto& [holder, object] : templates_) {
    std::vector<api::Finding> findings;
    for (const auto& tmpl : api::parse_workflow(*object, findings).spec.templates) {
      add_template(*tmpl, out);
      out.template_refs.insert(holder.name + "/" + tmpl->name);
    }
  }
  return out;
}

Result<api::Workflow> WorkflowSet::prepare(const Submission& submission, Random& random) const {
  const doc::Document* document = find(submission.workflow);
  if (!document) {
    std::vector<std::string> names;
    for (const doc::Document& each : documents_) {
      if (holds_workflow(each.root)) names.push_back(name_of(each.root));
    }
    if (names.empty()) return fail(Code::kNotFound, "there is no workflow in the files");
    if (submission.workflow.empty()) {
      return fail(Code::kNotFound, fmt::format("which workflow? There are {}", join(names, ", ")));
    }
    return fail(Code::kNotFound, fmt::format("there is no workflow \"{}\" in the files, but {}{}", submission.workflow,
                                             join(names, ", "), did_you_mean(submission.workflow, names)));
  }
  std::vector<api::Finding> findings;
  const bool cron = kind_of(document->root) == "CronWorkflow";
  const auto broken = [&] {
    if (cron) findings = api::place_in_cron_workflow(std::move(findings));
    return fail(Code::kInvalidArgument, api::render_findings(findings, document->marks));
  };
  doc::Value manifest = to_workflow(document->root, submission.start);
  for (const auto& [name, value] : submission.parameters) api::set_argument(manifest, name, value);
  doc::Object& spec = doc::ensure_object(manifest.as_object(), "spec");
  if (!submission.entrypoint.empty()) spec["entrypoint"] = submission.entrypoint;
  if (submission.parallelism) spec["parallelism"] = *submission.parallelism;

  api::Workflow workflow = api::parse_workflow(manifest, findings);
  if (api::any_error(findings)) return broken();
  api::References references(workflow);
  look_up(references);
  findings.clear();
  if (const auto& error = references.error()) {
    findings.push_back({.pointer = "/spec/workflowTemplateRef", .message = error->message});
    return broken();
  }
  if (references.any()) workflow = api::parse_resolved_workflow(references.stored_in(manifest), findings);
  api::validate_workflow(workflow, findings, {.references = true});
  std::erase_if(findings, [](const api::Finding& finding) { return !finding.is_error(); });
  if (!findings.empty()) return broken();

  if (workflow.name.empty()) workflow.name = without_dash(workflow.generate_name);
  if (workflow.name.empty()) workflow.name = "workflow";
  if (workflow.ns.empty()) workflow.ns = "default";
  workflow.uid = make_uid(random);
  workflow.created = submission.start;
  TIPHYS_TRY(const controllers::WorkflowMetadata own,
             controllers::workflow_metadata(workflow, expr::Ambient{submission.start, &random}));
  for (const auto& [name, value] : own.labels) workflow.labels[name] = value;
  for (const auto& [name, value] : own.annotations) workflow.annotations[name] = value;
  return workflow;
}

}  // namespace tiphys::play

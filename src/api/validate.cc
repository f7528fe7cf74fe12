#include <fmt/format.h>

#include <algorithm>

#include "api/found_templates.h"
#include "api/validator.h"
#include "base/strings.h"
#include "expr/expression.h"
#include "expr/text_template.h"
#include "podspec/names.h"

namespace tiphys::api {
namespace {

constexpr std::size_t kLongestObjectName = 63;  // it becomes a label's value
constexpr std::size_t kLongestFieldName = 128;

bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool parameter_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return alphanumeric(c) || c == '-' || c == '_'; });
}

bool field_name(std::string_view name) {
  return alphanumeric(name[0]) && std::ranges::all_of(name, [](char c) { return alphanumeric(c) || c == '-'; });
}

/// The parts around tags that are substituted before names are looked at; the others stay and are wrong. Those of tasks
/// know no more of the workflow than the parameters: the original looks at them with placeholders for all else. Of an
/// inline template `step` is what the step knows that it is a part of, else null.
std::string without_known_tags(const std::string& name, bool of_task, const Variables* step) {
  const std::string_view of_workflow = of_task ? "workflow.parameters." : "workflow.";
  bool known = true;
  for_each_tag(name, [&](std::string_view tag) {
    const bool own = tag.starts_with("inputs.") || tag.starts_with(of_workflow);
    known = known && (own || (step && !tag.starts_with("workflow.") && step->knows(tag)));
  });
  return known ? replace_tags(name, "x") : name;
}

}  // namespace

void check_object_name(const std::string& name, const std::string& generate_name, std::vector<Finding>& findings) {
  const auto error = [&](const char* pointer, std::string message) {
    findings.push_back({Finding::Severity::kError, pointer, false, std::move(message)});
  };
  if (name.empty() && generate_name.empty()) error("/metadata", "metadata.name or metadata.generateName is required");
  const auto well_formed = [](std::string_view text) { return podspec::dns_subdomain(text).empty(); };
  constexpr std::string_view kRule =
      "must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
      "character (RFC 1123)";
  if (!name.empty() && !(well_formed(name))) {
    error("/metadata/name", fmt::format("metadata.name \"{}\" {}", name, kRule));
  }
  // What is put behind ends it.
  if (!generate_name.empty() && !well_formed(generate_name + "x")) {
    error("/metadata/generateName", fmt::format("metadata.generateName \"{}\" {}", generate_name, kRule));
  }
}

void validate_workflow(const Workflow& workflow, std::vector<Finding>& findings, Validation validation) {
  if (!workflow.is_template()) return Validator(workflow, findings, validation).run();
  Workflow completed = workflow;
  put_template_defaults(completed, findings);
  Validator(completed, findings, validation).run();
}

void validate_found_template(const Workflow& workflow, const TemplateRef& ref, std::vector<Finding>& findings) {
  Validator(workflow, findings, {.references = true}).run_found(ref);
}

void Validator::error(const std::string& pointer, std::string message, bool at_key) {
  // What came from the template that the workflow refers to stands in no file.
  const bool elsewhere = workflow_.joined && pointer.starts_with("/spec/templates");
  findings_.push_back({Finding::Severity::kError, elsewhere ? "/spec/workflowTemplateRef" : pointer,
                       at_key && !elsewhere, std::move(message)});
}

void Validator::warn(const std::string& pointer, std::string message) {
  findings_.push_back({Finding::Severity::kWarning, pointer, false, std::move(message)});
}

void Validator::run() {
  const WorkflowSpec& spec = workflow_.spec;
  check_metadata();
  collect_globals();
  check_arguments(spec.arguments, {"/spec/arguments", "spec"});
  if (spec.workflow_template_ref) {
    const doc::Value* own = doc::find(*workflow_.document, "spec", "templates");
    if (own && own->is_array() && !own->get_array().empty()) {
      error("/spec/templates",
            "Templates is invalid field in spec if workflow referred WorkflowTemplate reference: remove templates or "
            "workflowTemplateRef",
            true);
    }
    if (!workflow_.joined) return;  // the rest is in the template
  }
  check_template_names();
  check_entrypoint();
  check_hooks();
  check_limits();
  check_pod_resources(*spec.document, {"/spec", "spec"});
  check_pods(*spec.document, "podMetadata", {"/spec", "spec"});
  if (spec.retry_strategy) check_retry(*spec.retry_strategy, {"/spec/retryStrategy", "spec"});
  if (spec.synchronization) {
    const Spot at{"/spec/synchronization", "spec.synchronization"};
    check_synchronization(*spec.synchronization, at);
    check_texts(*doc::find(*spec.document, "synchronization"), at, {}, globals_);
  }
  check_metrics(spec.metrics, {"/spec", "spec"}, true, globals_);
  check_templates();
  lint_unreachable();
  lint_recursion();
  lint_sizes();
}

void Validator::check_limits() {
  const WorkflowSpec& spec = workflow_.spec;
  if (spec.parallelism && *spec.parallelism < 1) error("/spec/parallelism", "spec.parallelism must be at least 1");
  if (spec.active_deadline_seconds && *spec.active_deadline_seconds < 0) {
    error("/spec/activeDeadlineSeconds", "spec.activeDeadlineSeconds must not be negative");
  }
  if (spec.priority && (*spec.priority < INT32_MIN || *spec.priority > INT32_MAX)) {
    error("/spec/priority", "spec.priority must be a 32-bit integer");
  }
  const doc::Value* ttl = doc::find(*spec.document, "ttlStrategy");
  for (const char* field : {"secondsAfterCompletion", "secondsAfterSuccess", "secondsAfterFailure"}) {
    const doc::Value* seconds = ttl ? doc::find(*ttl, field) : nullptr;
    if (!seconds || !seconds->is_int64() || seconds->get_int64() >= 0) continue;
    error(fmt::format("/spec/ttlStrategy/{}", field), fmt::format("spec.ttlStrategy.{} must not be negative", field));
  }
}

void Validator::run_found(const TemplateRef& ref) {
  collect_globals();
  if (const Template* found = workflow_.find_template("", "", ref)) check_later(found, ref.scope(), "/spec/templates");
  check_foreign();
}

void Validator::check_templates() {
  for (std::size_t i = 0; i < workflow_.spec.templates.size(); ++i) {
    const Template& tmpl = *workflow_.spec.templates[i];
    check_template(tmpl, {fmt::format("/spec/templates/{}", i), "templates." + tmpl.name}, globals_);
  }
  check_foreign();
}

void Validator::check_foreign() {
  for (std::size_t i = 0; i < foreign_.size(); ++i) {
    const Foreign next = foreign_[i];
    scope_ = next.scope;
    check_template(*next.tmpl, {next.pointer, "templates." + next.tmpl->name}, globals_);
  }
}

void Validator::check_later(const Template* tmpl, std::string scope, const std::string& pointer) {
  if (seen_.insert(tmpl).second) foreign_.push_back({tmpl, std::move(scope), pointer});
}

void Validator::check_metadata() {
  const std::string& name = workflow_.name;
  if (name.size() > kLongestObjectName) {
    constexpr std::string_view kKindNames[] = {"workflow", "workflow template", "cluster workflow template"};
    error("/metadata/name", fmt::format("{} name \"{}\" must not be more than 63 characters long (currently {})",
                                        kKindNames[static_cast<std::size_t>(workflow_.kind)], name, name.size()));
  }
  check_object_name(name, workflow_.generate_name, findings_);
  if (const doc::Value* metadata = doc::find(*workflow_.document, "metadata")) {
    check_labels(*metadata, {"/metadata", "metadata"}, findings_);
  }
  if (const doc::Value* added = doc::find(*workflow_.spec.document, "workflowMetadata")) {
    check_labels(*added, {"/spec/workflowMetadata", "spec.workflowMetadata"}, findings_);
  }
}

void Validator::collect_globals() {
  for (const char* name : {"name", "namespace", "uid", "mainEntrypoint", "serviceAccountName", "status", "annotations",
                           "annotations.json", "labels", "labels.json"}) {
    globals_.add(std::string("workflow.") + name);
  }
  const WorkflowSpec& spec = workflow_.spec;
  if (spec.priority) globals_.add("workflow.priority");
  if (spec.exit || !spec.hooks.empty()) globals_.add("workflow.failures");
  add_workflow_metadata();
  // The workflows that use a template may have parameters of their own.
  if (workflow_.is_template()) globals_.add_prefix("workflow.parameters");
  if (!spec.arguments.parameters.empty()) {
    globals_.add("workflow.parameters");
    globals_.add("workflow.parameters.json");
  }
  for (const Parameter& parameter : spec.arguments.parameters) globals_.add("workflow.parameters." + parameter.name);
  for (const auto& [key, value] : workflow_.annotations) globals_.add("workflow.annotations." + key);
  for (const auto& [key, value] : workflow_.labels) globals_.add("workflow.labels." + key);

  const auto add_output = [&](const std::string& prefix, const std::string& global_name) {
    if (has_tag(global_name)) {
      globals_.add_prefix(prefix);
    } else if (!global_name.empty()) {
      globals_.add(prefix + global_name);
    }
  };
  const auto add_outputs = [&](const Template& tmpl) {
    for (const Parameter& each : tmpl.outputs.parameters) add_output("workflow.outputs.parameters.", each.global_name);
    for (const Artifact& each : tmpl.outputs.artifacts) add_output("workflow.outputs.artifacts.", each.global_name);
  };
  for (const auto& tmpl : spec.templates) add_outputs(*tmpl);
  for (const auto& [key, tmpl] : workflow_.stored_templates) add_outputs(*tmpl);
  // What is referred to and not known may export anything.
  const bool unknown = !validation_.references && !References(workflow_).wanted().empty();
  if (unknown || refers_at_run_time(workflow_)) globals_.add_prefix("workflow.outputs.");
}

void Validator::add_workflow_metadata() {
  const doc::Value* metadata = doc::find(*workflow_.spec.document, "workflowMetadata");
  if (!metadata) return;
  const auto each_member = [&](const char* kind, auto visit) {
    const doc::Value* members = doc::find(*metadata, kind);
    if (!members || !members->is_object()) return;
    for (const auto& [key, value] : members->get_object()) visit(std::string(key), value);
  };
  each_member("labels", [&](const std::string& key, const doc::Value&) { globals_.add("workflow.labels." + key); });
  each_member("annotations",
              [&](const std::string& key, const doc::Value&) { globals_.add("workflow.annotations." + key); });
  each_member("labelsFrom", [&](const std::string& key, const doc::Value& from) {
    globals_.add("workflow.labels." + key);
    check_expression(std::string(doc::find_string(from, "expression")),
                     {"/spec/workflowMetadata/labelsFrom" + doc::pointer_step(key) + "/expression",
                      "spec.workflowMetadata.labelsFrom." + key});
  });
}

void Validator::check_template_names() {
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < workflow_.spec.templates.size(); ++i) {
    check_name(workflow_.spec.templates[i]->name, NameKind::kField,
               {fmt::format("/spec/templates/{}/name", i), fmt::format("spec.templates[{}]", i)}, seen);
  }
}

void Validator::check_entrypoint() {
  const WorkflowSpec& spec = workflow_.spec;
  if (spec.entrypoint.empty()) {
    if (!workflow_.is_template()) error("/spec", "spec.entrypoint is required", true);
    return;
  }
  Step call;
  call.template_name = spec.entrypoint;
  if (const Template* found = target(call)) {
    if (!workflow_.is_template()) check_supplied(*found, spec.arguments, {"/spec/entrypoint", "spec.entrypoint"});
  } else {
    check_call(call, {"/spec/entrypoint", "spec.entrypoint"});
  }
}

void Validator::check_hooks() {
  const WorkflowSpec& spec = workflow_.spec;
  if (const doc::Value* hooks = doc::find(*spec.document, "hooks")) {
    check_texts(*hooks, {"/spec/hooks", "spec.hooks"}, {}, globals_);
  }
  if (spec.exit) check_hook(*spec.exit, {"/spec", "spec"});
  for (const LifecycleHook& hook : spec.hooks) check_hook(hook, {"/spec", "spec"});
}

void Validator::check_name(const std::string& name, NameKind kind, const Spot& spot,
                           std::set<std::string, std::less<>>& seen) {
  if (name.empty()) {
    error(spot.pointer, spot.name + ".name is required", true);
    return;
  }
  const bool field = kind == NameKind::kField || kind == NameKind::kStep || kind == NameKind::kTask;
  const bool plain = kind == NameKind::kField || kind == NameKind::kParameter;
  const std::string judged = plain ? name : without_known_tags(name, kind == NameKind::kTask, step_);
  if (!field && !parameter_name(judged)) {
    error(spot.pointer, fmt::format("{}.name: '{}' is invalid: Parameter/Artifact name must consist of alpha-numeric "
                                    "characters, '_' or '-' e.g. my_param_1, MY-PARAM-1",
                                    spot.name, name));
  } else if (field && !field_name(judged)) {
    error(spot.pointer, fmt::format("{}.name: '{}' is invalid: name must consist of alpha-numeric characters or '-', "
                                    "and must start with an alpha-numeric character (e.g. My-name1-2, 123-NAME)",
                                    spot.name, name));
  } else if (field && judged.size() > kLongestFieldName) {
    error(spot.pointer, fmt::format("{}.name: '{}' is invalid: must be no more than {} characters", spot.name, name,
                                    kLongestFieldName));
  }
  if (!seen.insert(name).second) error(spot.pointer, fmt::format("{}.name '{}' is not unique", spot.name, name));
}

void Validator::check_global_name(const std::string& name, const Spot& spot) {
  if (has_tag(name) || parameter_name(name)) return;
  error(spot.pointer,
        fmt::format("{}.globalName: Parameter/Artifact name must consist of alpha-numeric characters, '_' "
                    "or '-' e.g. my_param_1, MY-PARAM-1",
                    spot.name));
}

void Validator::check_duration(const std::string& text, const Spot& spot, bool bare_seconds) {
  if (text.empty() || has_tag(text)) return;
  const auto duration = bare_seconds ? parse_seconds_or_duration(text) : parse_go_duration(text);
  if (!duration) error(spot.pointer, fmt::format("{}: {}", spot.name, duration.error().message));
}

void Validator::check_expression(const std::string& text, const Spot& spot) {
  if (text.empty() || has_tag(text)) return;
  const auto compiled = expr::Expression::compile(text);
  if (!compiled) error(spot.pointer, fmt::format("{}: {}", spot.name, compiled.error().message));
}

std::string Validator::suggestion(std::string_view name, const Variables& scope) const {
  constexpr std::size_t kMany = 50;
  return findings_.size() < kMany ? did_you_mean(name, scope.all()) : "";
}

void Validator::check_texts(const doc::Value& value, const Spot& spot, std::string_view skip, const Variables& scope,
                            Unclosed unclosed) {
  for_each_text(value, spot.pointer, skip, [&](std::string_view text, const std::string& pointer) {
    if (text.find("{{") == std::string_view::npos) return;
    if (const auto open = unclosed_tag(text); unclosed == Unclosed::kStays && open != std::string_view::npos) {
      lint_warn(pointer, fmt::format("{}: \"{{{{\" without \"}}}}\" opens no tag: it stays as it is", spot.name));
      text = text.substr(0, open);
    }
    lint_expressions(text, pointer, spot, scope);
    if (const auto compiled = expr::TextTemplate::compile(text); !compiled) {
      error(pointer, fmt::format("{}: {}", spot.name, compiled.error().message));
      return;
    }
    for_each_tag(text, [&](std::string_view name) {
      if (!is_workflow_variable(name)) {
        const std::string meant = misspelled_root(name);
        if (name == "item" || name.starts_with("item.")) {
          lint_item(name, pointer, spot, scope);
        } else if (name == "retries" || name.starts_with("lastRetry.")) {
          lint_retries(name, pointer, spot, scope);
        } else if (!meant.empty() && scope.knows(meant)) {
          warn(pointer, fmt::format("{}: {{{{{}}}}} stays as it is; did you mean \"{}\"?", spot.name, name, meant));
        }
      } else if (!scope.knows(name)) {
        error(pointer, fmt::format("{}: failed to resolve {{{{{}}}}}{}", spot.name, name, suggestion(name, scope)));
      }
    });
  });
}

}  // namespace tiphys::api

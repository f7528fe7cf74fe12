#include "api/found_templates.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/parse.h"

namespace tiphys::api {
namespace {

/// Reads them as those of a workflow that is stored.
StoredTemplates read_templates(const Workflow& workflow, const doc::Object& documents, std::vector<Finding>& findings) {
  doc::Object spec;
  if (workflow.spec.template_defaults) spec["templateDefaults"] = *workflow.spec.template_defaults;
  const doc::Object document{{"apiVersion", "argoproj.io/v1alpha1"},
                             {"kind", "Workflow"},
                             {"spec", std::move(spec)},
                             {"status", doc::Object{{"storedTemplates", documents}}}};
  return std::move(parse_resolved_workflow(document, findings).stored_templates);
}

}  // namespace

Result<FoundTemplates> found_templates(const Workflow& workflow, const TemplateRef& ref, const References& references) {
  if (references.error()) return std::unexpected(*references.error());
  if (!references.found({ref.cluster_scope, ref.name})) {
    return fail(Code::kNotFound, fmt::format("workflow template {} not found", ref.name));
  }
  if (!references.templates().contains(ref.key())) {
    return fail(Code::kNotFound,
                fmt::format("template {} not found in workflow template {}", ref.template_name, ref.name));
  }
  FoundTemplates found{references.templates(), {}};
  std::vector<Finding> findings;
  found.templates = read_templates(workflow, found.documents, findings);
  if (!any_error(findings)) {
    Workflow whole = workflow;
    whole.stored_templates.insert(found.templates.begin(), found.templates.end());
    validate_found_template(whole, ref, findings);
  }
  const auto error = std::ranges::find_if(findings, &Finding::is_error);
  if (error == findings.end()) return found;
  return fail(Code::kInvalidArgument, fmt::format("template {} of workflow template {} is invalid: {}",
                                                  ref.template_name, ref.name, error->message));
}

}  // namespace tiphys::api

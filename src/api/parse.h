// From documents to typed objects. Every error names file, line, column and field, and what would be right.
#pragma once

#include <string>
#include <vector>

#include "api/workflow.h"
#include "doc/yaml.h"

namespace tiphys::api {

/// One finding in a manifest.
struct Finding {
  enum class Severity { kError, kWarning };
  Severity severity = Severity::kError;
  std::string pointer;  ///< JSON pointer of the field
  bool at_key = false;  ///< the key is at fault, not the value
  std::string message;
  bool unknown_field = false;

  bool is_error() const { return severity == Severity::kError; }
};
bool any_error(const std::vector<Finding>& findings);

/// Reads a Workflow, WorkflowTemplate or ClusterWorkflowTemplate strictly: unknown fields, wrong types and fields that
/// are not supported yet are errors; a bare step in `steps` is taken as a group of one with a warning. All findings of
/// the document are given, not just the first; the workflow is usable when none is an error. A Workflow's templates
/// have its templateDefaults in them.
Workflow parse_workflow(const doc::Value& document, std::vector<Finding>& findings);

/// The same with the templates and the spec that its status holds (References).
Workflow parse_resolved_workflow(const doc::Value& document, std::vector<Finding>& findings);
/// Puts templateDefaults into every template.
void put_template_defaults(Workflow& workflow, std::vector<Finding>& findings);

/// Reads a Workflow that the store holds, with the templates and the spec that its status holds. It was validated when
/// it came in: errors are a broken store or a foreign writer.
Result<Workflow> parse_stored_workflow(const doc::Value& document);

struct Validation {
  /// The workflow's stored templates are all that there are: a reference to another is an error. Else nothing is known
  /// of them, and what they could tell is passed over.
  bool references = false;
  /// Looked at by itself, before it is submitted: its arguments may still lack values, and what the original lets
  /// through and then fails or surprises with is told too.
  bool lint = false;
};

/// Checks what goes beyond single fields: entrypoint and template names exist, step and task names are unique and
/// well-formed, dependencies exist and have no cycle, depends and when parse, every variable that can be resolved
/// statically is in scope, required parameters are given, exactly one template type, loops, retry limits. Original:
/// workflow/validate/validate.go.
void validate_workflow(const Workflow& workflow, std::vector<Finding>& findings, Validation validation = {});

/// `-p name=value` and parameter files: sets spec.arguments.parameters of a manifest, adding those that it lacks.
void set_argument(doc::Value& workflow, std::string_view name, std::string_view value);

/// "file:line:column: message", the line and a caret, for each finding in order of place; warnings are led by
/// "warning: ".
std::string render_findings(const std::vector<Finding>& findings, const doc::Marks& marks);

}  // namespace tiphys::api

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
};

/// Reads a Workflow strictly: unknown fields, wrong types and fields that are not supported yet are errors; a bare step
/// in `steps` is taken as a group of one with a warning. All findings of the document are given, not just the first;
/// the workflow is usable when none is an error.
Workflow parse_workflow(const doc::Value& document, std::vector<Finding>& findings);

/// Reads a Workflow that the store holds: it was validated when it came in. Errors are a broken store or a foreign
/// writer.
Result<Workflow> parse_stored_workflow(const doc::Value& document);

/// Checks what goes beyond single fields: entrypoint and template names exist, step and task names are unique and
/// well-formed, dependencies exist and have no cycle, depends and when parse, every variable that can be resolved
/// statically is in scope, required parameters are given, exactly one template type, loops, retry limits. Original:
/// workflow/validate/validate.go.
void validate_workflow(const Workflow& workflow, std::vector<Finding>& findings);

/// `-p name=value` and parameter files: sets spec.arguments.parameters of a manifest, adding those that it lacks.
void set_argument(doc::Value& workflow, std::string_view name, std::string_view value);

/// "file:line:column: message", the line and a caret, for each finding in order of place; warnings are led by
/// "warning: ".
std::string render_findings(const std::vector<Finding>& findings, const doc::Marks& marks);

}  // namespace tiphys::api

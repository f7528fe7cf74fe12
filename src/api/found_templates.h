// Templates of other objects that are found as a workflow runs: those of references with tags.
#pragma once

#include "api/parse.h"
#include "api/references.h"

namespace tiphys::api {

struct FoundTemplates {
  doc::Object documents;      ///< for status.storedTemplates, beside those that it has
  StoredTemplates templates;  ///< the same, read, with the workflow's templateDefaults in them
};

/// What `ref`, without tags by now, has come to in a workflow that runs. `references` is that of the two, and wants
/// nothing more. Errors: there is no such template, in the original's words; or one of them is not valid.
Result<FoundTemplates> found_templates(const Workflow& workflow, const TemplateRef& ref, const References& references);

/// As validate_workflow, of such a template and all that it refers to: the workflow has stored them by now.
void validate_found_template(const Workflow& workflow, const TemplateRef& ref, std::vector<Finding>& findings);

}  // namespace tiphys::api

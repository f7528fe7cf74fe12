// Specs and templates put together from several, as the original does it (workflow/util/merge.go, and
// mergedTemplateDefaultsInto of workflow/controller/operator.go).
#pragma once

#include <string_view>

#include "doc/value.h"

namespace tiphys::api {

/// What runs of a workflow that refers to a template: its own spec, completed by the template's. Lists merge by name; a
/// parameter that has a value is taken whole from one of the two; suspend is the workflow's alone. What both leave
/// unsaid is taken from `defaults`, the spec of the plane's workflowDefaults, if any.
Result<doc::Value> join_workflow_spec(const doc::Value& workflow_spec, const doc::Value& template_spec,
                                      const doc::Value* defaults = nullptr);

/// A workflow with what it leaves unsaid taken from the plane's workflowDefaults: labels and annotations, and the spec
/// unless it refers to a template, for which join_workflow_spec does it. Giving it again changes nothing.
Result<doc::Value> with_workflow_defaults(const doc::Value& workflow, const doc::Value& defaults);

/// The spec in the plane's workflowDefaults, kept alive with them; null without defaults or without one there.
doc::Shared spec_of_defaults(const doc::Shared& defaults);

/// A template with what it lacks taken from templateDefaults, its inline templates likewise. Defaults that a template
/// of this type cannot have are left out.
Result<doc::Value> with_template_defaults(const doc::Value& tmpl, const doc::Value& defaults);

/// Puts labels and annotations of a spec's podMetadata into a template that lacks them.
void add_pod_metadata(doc::Value& tmpl, const doc::Value& spec);

}  // namespace tiphys::api

// Argo's kinds as OpenAPI v3 schemas, from the tables that read them (api/field_table.h).
#pragma once

#include <string>
#include <string_view>

#include "doc/value.h"

namespace tiphys::objects {

/// "io.argoproj.workflow.v1alpha1.Workflow", as Argo's own OpenAPI document names it.
std::string argo_schema_name(std::string_view table);
/// By name. They refer to Kubernetes' types by the names of those.
doc::Object make_argo_schemas();

}  // namespace tiphys::objects

// What a CustomResourceDefinition's schema must be like, so that objects can be pruned and filled in along it
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema, pkg/apis/apiextensions/validation).
#pragma once

#include "schema/field_error.h"

namespace tiphys::objects {

/// `at` is the path of the schema.
void check_structural(const doc::Value& schema, const std::string& at, schema::FieldErrors& errors);

}  // namespace tiphys::objects

// Checks that several kinds share: label selectors, and shares of a whole
// (k8s.io/apimachinery/pkg/apis/meta/v1/validation, k8s.io/kubernetes/pkg/apis/apps/validation).
#pragma once

#include "doc/value.h"
#include "schema/field_error.h"
#include "schema/path.h"

namespace tiphys::objects {

/// A metav1.LabelSelector; null and what is no object are let through.
void check_label_selector(const doc::Value* selector, const schema::Path& at, schema::FieldErrors& errors);

/// A number that is not negative, or a percentage; null is let through.
void check_share(const doc::Value* share, const schema::Path& at, schema::FieldErrors& errors);
/// The same; percentages end at 100.
void check_part(const doc::Value* part, const schema::Path& at, schema::FieldErrors& errors);

}  // namespace tiphys::objects

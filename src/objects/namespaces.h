// What may be made in which namespace (k8s.io/apiserver, admission plugin NamespaceLifecycle).
#pragma once

#include "objects/kinds.h"
#include "objects/refusal.h"
#include "store/store.h"

namespace tiphys::objects {

/// 404 for a new object whose namespace does not exist, 403 when it is being deleted.
Outcome<void> admit_to_namespace(store::Store& store, const Kind& kind, const doc::Value& object);

/// What the rules of the kind Namespace are: finalizers and a label that it always has, phases that fit it.
void fill_namespace(doc::Object& object);
void check_namespace(const doc::Value& object, schema::FieldErrors& errors);
void check_namespace_update(const doc::Value& before, const doc::Value& after, schema::FieldErrors& errors);

}  // namespace tiphys::objects

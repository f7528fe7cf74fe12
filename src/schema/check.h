// Walks a document along its type.
#pragma once

#include "schema/field_error.h"
#include "schema/path.h"
#include "schema/type.h"

namespace tiphys::schema {

/// Fields that the type does not have, as paths. What a type keeps is not looked at.
std::vector<std::string> unknown_fields(const Type& type, const doc::Value& value);
/// The first value of the wrong form: "spec.replicas: must be an integer, not a string". For the built-in kinds, which
/// Kubernetes reads into structs: a null is no value, and no rule is asked.
std::optional<std::string> misfit(const Type& type, const doc::Value& value);
/// The same in the metadata of resources within a custom one, which are read into a struct as well.
std::optional<std::string> embedded_misfit(const Type& type, const doc::Value& value);

/// All that a schema has against a value: forms, required fields, rules. For custom resources.
FieldErrors check(const Type& type, const doc::Value& value, const Path& at = {});
/// Removes the fields that the type does not have.
void prune(const Type& type, doc::Value& value);
/// Makes of a document what Go makes of it when it reads it into a struct and writes that: members go that say what a
/// missing one says (null, and "", 0, false and empty lists and maps where they are no choice), nulls in lists and maps
/// become zero values, quantities get their canonical form. For the built-in kinds.
void drop_empty(const Type& type, doc::Value& value);
/// Removes nulls, which Go reads as what is not there: members, and in lists and maps what becomes a zero value. Where
/// anything may stand a null stays.
void drop_nulls(const Type& type, doc::Value& value);
/// Puts in what is said to be otherwise; removes a null member where the type takes none.
void fill_defaults(const Type& type, doc::Value& value);

}  // namespace tiphys::schema

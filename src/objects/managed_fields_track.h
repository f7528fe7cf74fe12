// What writes do to the fields that managers own: the parts that updates and applies share.
#pragma once

#include "objects/apply_compare.h"
#include "objects/managed_fields.h"

namespace tiphys::objects {

/// Of managers whose version the object is in, brought in line with its type. Those of other versions own nothing any
/// more, unless all versions name their fields alike.
ManagedFields current(ManagedFields managed, const Shape& shape, const FieldWriter& writer);

/// What the changes take from each manager but `but`, by id.
std::map<std::string, FieldSet> taken(const ManagedFields& managed, const Changes& changes, std::string_view but);
/// Takes it from them, and what was removed, too. Those who own nothing then are gone.
void take(ManagedFields& managed, const std::map<std::string, FieldSet>& taken, const Changes& changes,
          std::string_view but);

/// The fields that nobody owns: apiVersion, kind and what the server says in metadata.
const FieldSet& unowned();

/// The changes that a route can make.
Changes compare_for(const FieldWriter& writer, const Shape& shape, const doc::Value& before, const doc::Value& after);

/// The writer's entry for an operation, without fields.
ManagedEntry entry_of(const FieldWriter& writer, bool applied);

/// What an update from `before` to `after`, which has no managedFields, makes of the managers.
/// kInvalidArgument: one of them does not fit its type.
Result<ManagedFields> updated(ManagedFields managed, const doc::Value& before, const doc::Value& after,
                              const FieldWriter& writer);

/// What is there before creation: apiVersion and kind and, for the built-in kinds, what their structs in Go have even
/// when nothing is set. So `spec` itself is nobody's, only what is in it.
doc::Value nothing_yet(const FieldWriter& writer);

}  // namespace tiphys::objects

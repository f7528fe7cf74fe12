// Who owns which fields of an object: metadata.managedFields, and what updates do to it
// (k8s.io/apimachinery/pkg/util/managedfields).
#pragma once

#include <map>
#include <optional>

#include "base/time.h"
#include "objects/field_set.h"
#include "schema/type.h"

namespace tiphys::objects {

/// What one manager owns by one kind of operation.
struct ManagedEntry {
  std::string manager;
  bool applied = false;  ///< by "Apply"; else by "Update", which is also creation and patches
  std::string api_version{};
  std::string subresource{};
  std::optional<Time> time{};
  FieldSet fields{};

  /// What entries are told apart by and sorted by in messages: JSON, as the API server has it. Without the version
  /// where it was applied: a manager has but one configuration.
  std::string id() const;
};

/// By id.
using ManagedFields = std::map<std::string, ManagedEntry>;

/// Those of an object. kInvalidArgument: an entry is malformed.
Result<ManagedFields> read_managed_fields(const doc::Value& object);
/// Replaces those of an object, which has metadata: in their order; none when there are none.
void write_managed_fields(doc::Value& object, const ManagedFields& managed);
void remove_managed_fields(doc::Value& object);

/// One request.
struct FieldWriter {
  std::string_view manager{};  ///< "" becomes "unknown"; the caller takes it from fieldManager or User-Agent
  std::string_view api_version{};
  std::string_view kind{};
  std::string_view subresource{};
  Time time{};
  const schema::Type* type = nullptr;  ///< of the object; nullptr: nothing is known of it
  bool alike = false;                  ///< all versions of the kind name their fields alike
  FieldSet reset{};                    ///< what this route does not write: reset_fields()
  doc::Object empty{};  ///< members that an object has even where they are empty, which nobody owns for that
};

/// The fields that a request to the main resource ("") or a subresource of a kind with /status cannot change. A kind
/// without it has none.
FieldSet reset_fields(std::string_view api_version, std::string_view kind, std::string_view subresource);

/// What creation (`live` is nullptr), an update or a patch by a writer means for the managers of `object`. It is as it
/// is to be, and of a built-in kind as Go writes its struct: with its defaults, with `resources: {}` and its like,
/// without what is empty. In metadata.managedFields it has what the client sent: none or malformed ones count as those
/// of `live`, `[]` and `[{}]` are a wish to forget them all, any others take their place.
/// The writer owns what it changed or added; what went away belongs to nobody. An object without managers stays so
/// until it is applied. Should one of the two not fit its type, the object has no managers afterwards, as with the API
/// server. Linear in the two objects and the fields owned. Who does not want to be a manager, as the plane's own
/// controllers, does not call this: what it changes stays with whom it was.
void track_update(const doc::Value* live, doc::Value& object, const FieldWriter& writer);

/// Whether nothing but times of managers differs: then the write is to be dropped for `live`, lest watchers hear of it.
bool differs_in_times_only(const doc::Value& live, const doc::Value& object);

}  // namespace tiphys::objects

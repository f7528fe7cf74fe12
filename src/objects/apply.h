// Server-side apply: an object with what a manager's configuration says of it, and nothing that it does not say any
// more (k8s.io/apimachinery/pkg/util/managedfields, sigs.k8s.io/structured-merge-diff).
#pragma once

#include <expected>
#include <vector>

#include "objects/managed_fields.h"

namespace tiphys::objects {

/// A field that another manager owns, as a cause of the API server's Status has it.
struct ApplyConflict {
  static constexpr std::string_view kReason = "FieldManagerConflict";
  std::string message;  ///< `conflict with "kubectl" using apps/v1`
  std::string field;    ///< `.spec.replicas`
};

struct ApplyRefusal {
  /// kAborted: conflicts (409). kInvalidArgument: a bad request (400). kInternal: what the API server answers with 500,
  /// such as a field that the type does not have.
  Error error;
  std::vector<ApplyConflict> conflicts{};  ///< by manager
};

/// What becomes of `live`, or of nothing, when a writer applies `config`, which is an object as the client sent it:
///  - What it names is so afterwards. When others own a field of it that has another value, it is refused; with `force`
///    they lose it.
///  - What the writer has applied before and does not name any more is gone, unless somebody else owns it.
///  - The writer owns all that it named, and metadata.managedFields says so. Its time is only set when there is a
///  change.
///  - An object without managers belongs to "before-first-apply".
///  - For the manager "kubectl", what `kubectl apply` without --server-side has applied is its own, and the annotation
///    that says so is kept up to date.
/// Lists merge as their types say: by keys, as sets, or not at all. A null of a scalar is kept; the caller prunes,
/// fills in defaults and validates as after any other patch.
std::expected<doc::Value, ApplyRefusal> apply(const doc::Value* live, const doc::Value& config,
                                              const FieldWriter& writer, bool force);

}  // namespace tiphys::objects

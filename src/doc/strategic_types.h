// What a strategic merge patch knows of the types that it patches: which fields hold objects and lists, and how lists
// merge.
#pragma once

#include <optional>
#include <string_view>

namespace tiphys::doc {

struct PatchField {
  bool list = false;
  bool merges = false;    ///< else the patch's value replaces the object's
  std::string_view key;   ///< by which elements of a list are told apart; "" where elements are scalars
  std::string_view type;  ///< of the object or the elements; "" for one without objects and lists inside
};

class PatchTypes {
 public:
  virtual ~PatchTypes() = default;
  /// Whether `type` is one whose fields are known.
  virtual bool knows(std::string_view type) const = 0;
  /// A field that holds an object or a list; nullopt when the type has none of this name.
  virtual std::optional<PatchField> find(std::string_view type, std::string_view name) const = 0;
};

/// The kinds that a plane of workflows writes, and their parts. Source: the patchStrategy and patchMergeKey tags of
/// k8s.io/api (core/v1, batch/v1) 0.35, of k8s.io/apimachinery's ObjectMeta and of Argo Workflows 4.0.
const PatchTypes& workflow_patch_types();

}  // namespace tiphys::doc

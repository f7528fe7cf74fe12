#include "cluster/patch.h"

#include "doc/patch.h"

namespace tiphys::cluster {

Status apply_patch(doc::Value& object, PatchType type, const doc::Value& patch) {
  switch (type) {
    case PatchType::kJson:
      return doc::apply_json_patch(object, patch);
    case PatchType::kMerge:
      return doc::apply_merge_patch(object, patch);
    case PatchType::kStrategic:
      return doc::apply_strategic_merge_patch(object, patch, doc::find_string(object, "kind"));
  }
  return {};
}

std::string_view media_type(PatchType type) {
  switch (type) {
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kStrategic:
      return "application/strategic-merge-patch+json";
  }
  return {};
}

std::optional<PatchType> patch_type(std::string_view text) {
  for (const PatchType type : {PatchType::kJson, PatchType::kMerge, PatchType::kStrategic}) {
    if (media_type(type) == text) return type;
  }
  return std::nullopt;
}

}  // namespace tiphys::cluster

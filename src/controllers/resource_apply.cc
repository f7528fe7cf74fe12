#include "controllers/resource_apply.h"

namespace tiphys::controllers {
namespace {

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/// Nulls in `patch` for members of `last` that `manifest` lacks.
void remove_members(const doc::Object& last, const doc::Object& manifest, doc::Object& patch) {
  for (const auto& [key, value] : last) {
    const doc::Value* now = manifest.if_contains(key);
    if (!now) {
      patch[key] = nullptr;
    } else if (value.is_object() && now->is_object()) {
      doc::Value& inner = patch[key];
      if (inner.is_object()) remove_members(value.get_object(), now->get_object(), inner.get_object());
    }
  }
}

}  // namespace

doc::Value with_last_applied(const doc::Value& manifest) {
  doc::Value object = manifest;
  doc::Object& metadata = doc::ensure_object(object.get_object(), "metadata");
  doc::ensure_object(metadata, "annotations")[kLastApplied] = doc::to_json(manifest) + "\n";
  return object;
}

doc::Value apply_patch(const doc::Value& manifest, const doc::Value& live) {
  doc::Value patch = with_last_applied(manifest);
  const std::string_view text = doc::find_string(live, "metadata", "annotations", kLastApplied);
  if (text.empty()) return patch;
  const Result<doc::Value> last = doc::parse_json(text);
  if (last && last->is_object()) remove_members(last->get_object(), manifest.get_object(), patch.get_object());
  return patch;
}

cluster::PatchType apply_patch_type(const cluster::Resource& resource) {
  const bool kubernetes_own = resource.group.empty() || resource.group.find('.') == std::string_view::npos ||
                              resource.group.ends_with(".k8s.io");
  return kubernetes_own ? cluster::PatchType::kStrategic : cluster::PatchType::kMerge;
}

}  // namespace tiphys::controllers

#include "controllers/restrictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "base/strings.h"
#include "cluster/pod_annotations.h"

namespace tiphys::controllers {
namespace {

constexpr std::array<std::string_view, 14> kAllowed = {
    "arguments",
    "entrypoint",
    "shutdown",
    "suspend",
    "activeDeadlineSeconds",
    "priority",
    "ttlStrategy",
    "podGC",
    "volumeClaimGC",
    "archiveLogs",
    "artifactGC",
    "metrics",
    "workflowMetadata",
    "workflowTemplateRef",
};
/// Of what decides with which rights artifacts are deleted.
constexpr std::array<std::string_view, 3> kRights = {"podSpecPatch", "serviceAccountName", "podMetadata"};

bool is_set(const doc::Value& value) {
  return !value.is_null() && !(value.is_string() && value.get_string().empty());
}

bool chooses_runtime(std::string_view annotation) {
  return annotation == cluster::kRuntimeAnnotation || annotation == cluster::kWarmPythonAnnotation;
}

bool only_chooses_runtime(const doc::Value& pod_metadata) {
  const doc::Object* metadata = pod_metadata.if_object();
  const doc::Value* annotations = doc::find(pod_metadata, "annotations");
  const doc::Object* pairs = annotations ? annotations->if_object() : nullptr;
  return metadata && metadata->size() == 1 && pairs && !pairs->empty() &&
         std::ranges::all_of(*pairs, [](const auto& pair) { return chooses_runtime(pair.key()); });
}

/// The name of the original's struct member, which its message has: "PodSpecPatch", "DNSPolicy".
std::string member_name(std::string_view field) {
  if (field.starts_with("dns")) return fmt::format("DNS{}", field.substr(3));
  if (field.starts_with("ttl")) return fmt::format("TTL{}", field.substr(3));
  std::string name(field);
  name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

}  // namespace

Status check_restrictions(const doc::Value& workflow, std::span<const std::string> also_allowed) {
  const doc::Value* ref = doc::find(workflow, "spec", "workflowTemplateRef");
  if (!ref || ref->is_null()) {
    return fail(Code::kPermissionDenied,
                "workflows must use workflowTemplateRef to be executed when the controller is in reference mode");
  }
  std::vector<std::string> violations;
  for (const auto& [key, value] : workflow.at("spec").as_object()) {
    const std::string_view field = key;
    if (!is_set(value) || std::ranges::find(kAllowed, field) != kAllowed.end()) continue;
    if (std::ranges::find(also_allowed, field) != also_allowed.end()) continue;
    if (field == "podMetadata" && only_chooses_runtime(value)) continue;
    violations.push_back(member_name(field));
  }
  for (const std::string_view field : kRights) {
    const doc::Value* value = doc::find(workflow, "spec", "artifactGC", field);
    if (value && is_set(*value)) violations.push_back("ArtifactGC." + member_name(field));
  }
  if (violations.empty()) return {};
  std::ranges::sort(violations);
  return fail(
      Code::kPermissionDenied,
      fmt::format("fields [{}] are not permitted when using workflowTemplateRef with templateReferencing restriction",
                  join(violations, " ")));
}

}  // namespace tiphys::controllers

// podSpecPatch, as far as it says the same in every run.
#include <fmt/format.h>

#include "api/kubernetes_types.h"
#include "api/validator.h"
#include "base/strings.h"
#include "doc/yaml.h"

namespace tiphys::api {
namespace {

/// Stands for a tag while the text is read: it is a word of its own, and of part of one.
constexpr std::string_view kPlaceholder = "__tag__";

/// Tags stand for anything again; keys with one are passed over, as those of the patch itself are.
doc::Value with_tags(const doc::Value& value) {
  if (const auto* text = value.if_string()) {
    return text->find(kPlaceholder) == text->npos ? value : doc::Value("{{}}");
  }
  if (const doc::Array* list = value.if_array()) {
    doc::Array copy;
    for (const doc::Value& each : *list) copy.push_back(with_tags(each));
    return copy;
  }
  const doc::Object* object = value.if_object();
  if (!object) return value;
  doc::Object copy;
  for (const auto& [key, member] : *object) {
    const bool named = std::string_view(key).find(kPlaceholder) == std::string_view::npos;
    copy.emplace(named ? std::string_view(key) : "$", with_tags(member));
  }
  return copy;
}

}  // namespace

void Validator::check_patch(const doc::Value& holder, const Spot& spot) {
  const std::string text(doc::find_string(holder, "podSpecPatch"));
  if (trim(text).empty()) return;
  const Spot at{spot.pointer + "/podSpecPatch", spot.name + ".podSpecPatch"};
  const bool constant = text.find("{{") == text.npos;
  const auto documents = doc::parse_yaml(replace_tags(text, kPlaceholder), "podSpecPatch");
  if (!documents) {
    // With tags only a run knows.
    if (constant) error(at.pointer, fmt::format("{} must be YAML or JSON: {}", at.name, documents.error().message));
    return;
  }
  if (documents->empty()) return;
  const auto patch = std::make_shared<const doc::Value>(with_tags(documents->front().root));
  std::vector<Finding> findings;
  Reading reading{findings, patch, {}, nullptr};
  check_kubernetes_type(Place(reading, *patch), "io.k8s.api.core.v1.PodSpec", Completeness::kPart);
  for (const Finding& each : findings) {
    // The original loses unknown fields without a word.
    if (each.unknown_field && !validation_.lint) continue;
    error(at.pointer, fmt::format("{}: {}", at.name, each.message));
    findings_.back().unknown_field = each.unknown_field;
  }
}

}  // namespace tiphys::api

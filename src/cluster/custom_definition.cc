#include "cluster/custom_definition.h"

#include "doc/truth.h"

namespace tiphys::cluster {
namespace {

std::string joined(const doc::Value* list) {
  std::string text;
  if (!list || !list->is_array()) return text;
  for (const doc::Value& one : list->get_array()) {
    if (!text.empty()) text += ',';
    text += doc::scalar_text(one);
  }
  return text;
}

std::string stored_version(const doc::Value& definition) {
  const doc::Value* versions = doc::find(definition, "spec", "versions");
  if (!versions || !versions->is_array()) return "";
  for (const doc::Value& version : versions->get_array()) {
    if (doc::is_true(version, "storage")) return std::string(doc::find_string(version, "name"));
  }
  return "";
}

}  // namespace

std::optional<ResourceNames> names_of(const doc::Value& definition) {
  const auto name = [&](const char* member) {
    return std::string(doc::find_string(definition, "spec", "names", member));
  };
  ResourceNames names{.group = std::string(doc::find_string(definition, "spec", "group")),
                      .version = stored_version(definition),
                      .kind = name("kind"),
                      .plural = name("plural"),
                      .singular = name("singular"),
                      .short_names = joined(doc::find(definition, "spec", "names", "shortNames")),
                      .categories = joined(doc::find(definition, "spec", "names", "categories")),
                      .namespaced = doc::find_string(definition, "spec", "scope") != "Cluster"};
  if (names.group.empty() || names.version.empty() || names.kind.empty() || names.plural.empty()) return std::nullopt;
  return names;
}

}  // namespace tiphys::cluster

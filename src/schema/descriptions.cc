#include "schema/descriptions.h"

#include <map>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/embedded.h"
#include "base/strings.h"

namespace tiphys::schema {

TIPHYS_EMBED(tiphys_descriptions, TIPHYS_DESCRIPTIONS)

namespace {

/// Where types are whose names begin otherwise than "io.k8s.api.".
constexpr std::pair<std::string_view, std::string_view> kPackages[] = {
    {"meta.v1.", "io.k8s.apimachinery.pkg.apis.meta.v1."},
    {"resource.", "io.k8s.apimachinery.pkg.api.resource."},
    {"intstr.", "io.k8s.apimachinery.pkg.util.intstr."},
    {"apiextensions.v1.", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."},
};

std::string full_name(std::string_view name) {
  for (const auto& [prefix, package] : kPackages) {
    if (name.starts_with(prefix)) return std::string(package) + std::string(name.substr(prefix.size()));
  }
  return "io.k8s.api." + std::string(name);
}

/// By type and field, "" for the type itself.
using Descriptions = std::map<std::pair<std::string, std::string_view>, std::string_view, std::less<>>;

/// Lines "TYPE: text", and "  FIELD: text" below.
Descriptions read(std::string_view text) {
  Descriptions found;
  std::string type;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    const bool is_field = line.starts_with("  ");
    const auto colon = line.find(": ");
    TIPHYS_CHECK(colon != line.npos, "each line names what it describes");
    const std::string_view name = line.substr(is_field ? 2 : 0, colon - (is_field ? 2 : 0));
    if (!is_field) type = full_name(name);
    found.emplace(std::pair(type, is_field ? name : std::string_view()), line.substr(colon + 2));
  }
  return found;
}

const Descriptions& descriptions() {
  static const Descriptions all = read(tiphys_descriptions());
  return all;
}

}  // namespace

std::string_view describe(std::string_view type, std::string_view field) {
  const auto found = descriptions().find(std::pair(std::string(type), field));
  if (found != descriptions().end()) return found->second;
  // Every kind has these.
  const bool is_described = !field.empty() && descriptions().contains(std::pair(std::string(type), std::string_view()));
  if (is_described && field == "apiVersion") return "The group and version of the API in which it is written.";
  if (is_described && field == "kind") return "What kind of object it is.";
  return "";
}

}  // namespace tiphys::schema

#include "cluster/api_request.h"

#include <fmt/format.h>

#include "base/percent.h"
#include "base/strings.h"

namespace tiphys::cluster {
namespace {

std::string requirement_text(const Requirement& requirement) {
  using Op = Requirement::Op;
  const std::string first = requirement.values.empty() ? "" : requirement.values.front();
  switch (requirement.op) {
    case Op::kEquals:
      return requirement.key + "=" + first;
    case Op::kNotEquals:
      return requirement.key + "!=" + first;
    case Op::kIn:
      return fmt::format("{} in ({})", requirement.key, join(requirement.values, ","));
    case Op::kNotIn:
      return fmt::format("{} notin ({})", requirement.key, join(requirement.values, ","));
    case Op::kExists:
      return requirement.key;
    case Op::kNotExists:
      return "!" + requirement.key;
    case Op::kGreater:
      return requirement.key + ">" + first;
    case Op::kLess:
      return requirement.key + "<" + first;
  }
  return {};
}

}  // namespace

std::string api_path(const Resource& resource, std::string_view ns, std::string_view name) {
  std::string path = resource.group.empty() ? fmt::format("/api/{}", resource.version)
                                            : fmt::format("/apis/{}/{}", resource.group, resource.version);
  if (!ns.empty()) path += "/namespaces/" + percent_encode(ns);
  path += fmt::format("/{}", resource.plural);
  if (!name.empty()) path += "/" + percent_encode(name);
  return path;
}

std::string selector_text(const Selector& selector) {
  std::vector<std::string> parts;
  for (const Requirement& requirement : selector.requirements()) parts.push_back(requirement_text(requirement));
  return join(parts, ",");
}

}  // namespace tiphys::cluster

// What a pod tells its containers of itself: the downward API, and variables in texts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/quantity.h"
#include "node/agent/pod_spec.h"

namespace tiphys::node {
namespace {

const doc::Value* find_container(const doc::Value& pod, std::string_view name) {
  for (const std::string_view list : {"containers", "initContainers"}) {
    const doc::Value* containers = doc::find(pod, "spec", list);
    if (!containers || !containers->is_array()) continue;
    for (const doc::Value& container : containers->get_array()) {
      if (doc::find_string(container, "name") == name) return &container;
    }
  }
  return nullptr;
}

Result<double> quantity(const doc::Value* value) {
  return value && !value->is_null() ? parse_quantity(doc::scalar_text(*value)) : Result<double>(0.0);
}

}  // namespace

std::string expand_variables(std::string_view text, const std::vector<std::pair<std::string, std::string>>& env,
                             std::vector<std::string>* unknown) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    const auto close = text[i + 1] == '(' ? text.find(')', i) : std::string_view::npos;
    const std::string_view name = close == std::string_view::npos ? "" : text.substr(i + 2, close - i - 2);
    const auto it = std::find_if(env.begin(), env.end(), [&](const auto& entry) { return entry.first == name; });
    if (name.empty() || it == env.end()) {
      if (unknown && !name.empty()) unknown->emplace_back(name);
      out += '$';
      continue;
    }
    out += it->second;
    i = close;
  }
  return out;
}

Result<std::string> field_value(const doc::Value& pod, std::string_view path, const PodPlace& place) {
  if (path == "status.podIP" || path == "status.hostIP") return std::string("127.0.0.1");
  if (path == "spec.nodeName") return place.node_name;
  const doc::Value* value = &pod;
  std::string_view rest = path;
  if (const auto bracket = rest.find("['"); bracket != std::string_view::npos && rest.ends_with("']")) {
    const doc::Value* parent = &pod;
    for (std::string_view head = rest.substr(0, bracket); parent && !head.empty();) {
      const auto dot = head.find('.');
      parent = doc::find(*parent, head.substr(0, dot));
      head = dot == std::string_view::npos ? "" : head.substr(dot + 1);
    }
    const doc::Value* member =
        parent ? doc::find(*parent, rest.substr(bracket + 2, rest.size() - bracket - 4)) : nullptr;
    return member ? doc::scalar_text(*member) : std::string();
  }
  while (value && !rest.empty()) {
    const auto dot = rest.find('.');
    value = doc::find(*value, rest.substr(0, dot));
    rest = dot == std::string_view::npos ? "" : rest.substr(dot + 1);
  }
  if (value) return doc::scalar_text(*value);
  // What an API server fills in, and the plane leaves out where nobody asks for it.
  if (path == "spec.serviceAccountName") return std::string("default");
  if (path == "status.podIPs" || path == "status.hostIPs") return std::string("127.0.0.1");
  return fail(Code::kInvalidArgument, fmt::format("unsupported fieldPath: {}", path));
}

Result<std::string> resource_value(const doc::Value& pod, const doc::Value& reference, std::string_view own,
                                   const PodPlace& place) {
  const std::string_view named = doc::find_string(reference, "containerName");
  const doc::Value* container = find_container(pod, named.empty() ? own : named);
  if (!container) return fail(Code::kNotFound, fmt::format("container {} not found", named.empty() ? own : named));
  const std::string_view path = doc::find_string(reference, "resource");
  const auto dot = path.find('.');
  const std::string_view kind = path.substr(0, dot);
  const std::string_view resource = dot == std::string_view::npos ? "" : path.substr(dot + 1);
  const bool cpu = resource == "cpu";
  if ((kind != "limits" && kind != "requests") || (!cpu && resource != "memory" && resource != "ephemeral-storage")) {
    return fail(Code::kInvalidArgument, fmt::format("unsupported container resource: {}", path));
  }
  const doc::Value* limit = doc::find(*container, "resources", "limits", resource);
  const doc::Value* asked = doc::find(*container, "resources", kind, resource);
  TIPHYS_TRY(double value, quantity(asked ? asked : limit));
  if (!asked && kind == "limits" && resource != "ephemeral-storage") value = cpu ? place.cpus : place.memory_bytes;
  TIPHYS_TRY(double divisor, quantity(doc::find(reference, "divisor")));
  if (divisor == 0) divisor = 1;
  // Whole thousandths, so that a fraction that no binary number has does not round up.
  return fmt::format("{:.0f}", std::ceil(std::ceil(value * 1000) / std::ceil(divisor * 1000)));
}

}  // namespace tiphys::node

#include "engine/names.h"

#include <fmt/format.h>

#include <charconv>

#include "base/hash.h"
#include "engine/run.h"

namespace tiphys::engine {
namespace {

/// Kubernetes' limit for names, less the dash and the decimal hash (workflow/util/pod_name.go).
constexpr std::size_t kLongestPodPrefix = 253 - 10 - 1;

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::string display_name(std::string_view node_name, std::string_view boundary_name) {
  if (node_name.starts_with(boundary_name)) node_name.remove_prefix(boundary_name.size());
  std::string_view rest = node_name;
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos || !number(rest.substr(1, close - 1))) return std::string(node_name);
    rest.remove_prefix(close + 1);
  }
  return std::string(rest.starts_with('.') ? rest.substr(1) : node_name);
}

std::string loop_turn_name(std::string_view step, std::size_t index, std::string_view description) {
  std::string clean;
  clean.reserve(description.size());
  for (const char c : description) {
    if (c != '(' && c != ')') clean += c;
  }
  return fmt::format("{}({}:{})", step, index, clean);
}

std::string attempt_name(std::string_view node_name, std::size_t attempt) {
  return fmt::format("{}({})", node_name, attempt);
}

std::string step_group_name(std::string_view node_name, std::size_t group) {
  return fmt::format("{}[{}]", node_name, group);
}

std::optional<std::uint32_t> step_group_index(std::string_view group_name, std::string_view node_name) {
  if (!group_name.starts_with(node_name)) return std::nullopt;
  group_name.remove_prefix(node_name.size());
  if (!group_name.starts_with('[') || !group_name.ends_with(']')) return std::nullopt;
  return number(group_name.substr(1, group_name.size() - 2));
}

std::string on_exit_name(std::string_view node_name) {
  return std::string(node_name) + ".onExit";
}

std::string hook_name(std::string_view node_name, std::string_view hook) {
  return fmt::format("{}.hooks.{}", node_name, hook);
}

std::optional<std::uint32_t> attempt_index(std::string_view node_name, std::string_view retry_name) {
  if (!node_name.starts_with(retry_name)) return std::nullopt;
  node_name.remove_prefix(retry_name.size());
  if (!node_name.starts_with('(') || !node_name.ends_with(')')) return std::nullopt;
  return number(node_name.substr(1, node_name.size() - 2));
}

std::optional<std::uint32_t> loop_turn_index(std::string_view node_name, std::string_view step_node_name) {
  if (!node_name.starts_with(step_node_name)) return std::nullopt;
  node_name.remove_prefix(step_node_name.size());
  const std::size_t colon = node_name.find(':');
  if (!node_name.starts_with('(') || colon == std::string_view::npos) return std::nullopt;
  return number(node_name.substr(1, colon - 1));
}

std::string id_of_hash(std::string_view workflow_name, std::uint32_t hash) {
  return fmt::format("{}-{}", workflow_name, hash);
}

std::optional<std::uint32_t> hash_of_id(std::string_view workflow_name, std::string_view id) {
  if (!id.starts_with(workflow_name)) return std::nullopt;
  id.remove_prefix(workflow_name.size());
  if (!id.starts_with('-')) return std::nullopt;
  return number(id.substr(1));
}

std::string pod_name_of_hash(std::string_view workflow_name, std::string_view template_name, std::uint32_t hash) {
  std::string prefix(workflow_name);
  if (!template_name.empty()) prefix += '-';
  // Templates may have capitals, pods may not: the original's pod would be refused.
  for (const char c : template_name) prefix += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (prefix.size() > kLongestPodPrefix) prefix.resize(kLongestPodPrefix);
  return fmt::format("{}-{}", prefix, hash);
}

std::string node_id(std::string_view workflow_name, std::string_view node_name) {
  if (workflow_name == node_name) return std::string(node_name);
  return id_of_hash(workflow_name, fnv1a_32(node_name));
}

std::string pod_name(std::string_view workflow_name, std::string_view node_name, std::string_view template_name,
                     std::string_view) {
  if (workflow_name == node_name) return std::string(workflow_name);
  return pod_name_of_hash(workflow_name, template_name, fnv1a_32(node_name));
}

}  // namespace tiphys::engine

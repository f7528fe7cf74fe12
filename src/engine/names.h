// Names of nodes and pods as the original builds them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiphys::engine {

/// The name without the boundary's and without the "[0]." or "." that follows it.
std::string display_name(std::string_view node_name, std::string_view boundary_name);

/// "fan(2:x)": one turn of a loop. Parentheses of the description are dropped.
std::string loop_turn_name(std::string_view step, std::size_t index, std::string_view description);
/// "name(3)": one attempt of a node that is retried.
std::string attempt_name(std::string_view node_name, std::size_t attempt);
/// "name[2]": a group of steps.
std::string step_group_name(std::string_view node_name, std::size_t group);
std::optional<std::uint32_t> step_group_index(std::string_view group_name, std::string_view node_name);
std::string on_exit_name(std::string_view node_name);
/// "name.hooks.running": another hook of a node.
std::string hook_name(std::string_view node_name, std::string_view hook);

/// The index of the attempt that a name ends with; nothing when it is no attempt of `retry_name`.
std::optional<std::uint32_t> attempt_index(std::string_view node_name, std::string_view retry_name);
/// The index in "fan(2:x)" when the name is a turn of the loop `step_node_name`.
std::optional<std::uint32_t> loop_turn_index(std::string_view node_name, std::string_view step_node_name);

/// "<workflow>-<hash>"; the workflow's own node has its name.
std::string id_of_hash(std::string_view workflow_name, std::uint32_t hash);
/// The hash in such an id.
std::optional<std::uint32_t> hash_of_id(std::string_view workflow_name, std::string_view id);
/// As pod_name() of run.h for a node whose id carries `hash`.
std::string pod_name_of_hash(std::string_view workflow_name, std::string_view template_name, std::uint32_t hash);

}  // namespace tiphys::engine

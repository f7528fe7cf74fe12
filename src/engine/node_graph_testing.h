// Graphs of nodes as texts, for tests: "id Type Phase [hooked] [retried] [@boundary] [-> child ...] [=> outbound ...]"
// a line. A node's name is its id.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "api/node_status.h"
#include "base/check.h"

namespace tiphys::engine {

inline std::vector<api::NodeStatus> read_graph(std::string_view text) {
  std::vector<api::NodeStatus> nodes;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    api::NodeStatus& node = nodes.emplace_back();
    std::istringstream words(line);
    std::string type, phase;
    words >> node.id >> type >> phase;
    node.name = node.id;
    const auto known_type = api::parse_node_type(type);
    const auto known_phase = api::parse_node_phase(phase);
    TIPHYS_CHECK(known_type && known_phase, line);
    node.type = *known_type;
    node.phase = *known_phase;
    node.message = "before";
    node.started_at = node.finished_at = Time(std::chrono::seconds(1'600'000'000));
    std::vector<std::string>* list = nullptr;
    for (std::string word; words >> word;) {
      if (word == "->") {
        list = &node.children;
      } else if (word == "=>") {
        list = &node.outbound_nodes;
      } else if (word == "hooked") {
        node.hooked = true;
      } else if (word == "retried") {
        node.retried = true;
      } else if (word.starts_with('@')) {
        node.boundary_id = word.substr(1);
      } else {
        TIPHYS_CHECK(list, line);
        list->push_back(word);
      }
    }
  }
  return nodes;
}

/// Ids, phases and edges, by id.
inline std::string write_graph(std::vector<api::NodeStatus> nodes) {
  std::ranges::sort(nodes, {}, &api::NodeStatus::id);
  std::string text;
  for (const api::NodeStatus& node : nodes) {
    text += fmt::format("{}{} {}", text.empty() ? "" : "\n", node.id, api::node_phase_name(node.phase));
    if (!node.children.empty()) text += fmt::format(" -> {}", fmt::join(node.children, " "));
    if (!node.outbound_nodes.empty()) text += fmt::format(" => {}", fmt::join(node.outbound_nodes, " "));
  }
  return text;
}

}  // namespace tiphys::engine

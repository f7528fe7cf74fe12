#include "api/task_graph.h"

#include <algorithm>
#include <unordered_set>

namespace tiphys::api {

std::vector<std::size_t> TaskGraph::find_cycle() const {
  std::vector<Color> color(waits_.size());
  for (std::size_t i = 0; i < waits_.size(); ++i) {
    if (color[i] != Color::kWhite) continue;
    if (auto cycle = find_cycle_from(i, color); !cycle.empty()) return cycle;
  }
  return {};
}

/// Walks without recursion: a chain may be long.
std::vector<std::size_t> TaskGraph::find_cycle_from(std::size_t start, std::vector<Color>& color) const {
  struct Frame {
    std::size_t task, next;
  };
  std::vector<Frame> stack{{start, 0}};
  color[start] = Color::kGrey;
  while (!stack.empty()) {
    Frame& frame = stack.back();
    if (frame.next == waits_[frame.task].size()) {
      color[frame.task] = Color::kBlack;
      stack.pop_back();
      continue;
    }
    const std::size_t below = waits_[frame.task][frame.next++];
    if (color[below] == Color::kGrey) {
      std::vector<std::size_t> cycle;
      const auto first = std::ranges::find(stack, below, &Frame::task);
      for (auto it = first; it != stack.end(); ++it) cycle.push_back(it->task);
      cycle.push_back(below);
      return cycle;
    }
    if (color[below] == Color::kWhite) {
      color[below] = Color::kGrey;
      stack.push_back({below, 0});
    }
  }
  return {};
}

bool TaskGraph::comes_after(std::size_t task, std::size_t other) const {
  // Breadth first: what a task takes mostly comes from one that it names itself.
  std::unordered_set<std::size_t> seen;
  std::vector<std::size_t> open = waits_[task];
  for (std::size_t i = 0; i < open.size(); ++i) {
    const std::size_t next = open[i];
    if (next == other) return true;
    if (!seen.insert(next).second) continue;
    open.insert(open.end(), waits_[next].begin(), waits_[next].end());
  }
  return false;
}

std::vector<bool> TaskGraph::needed_for(std::vector<std::size_t> tasks) const {
  std::vector<bool> needed(waits_.size());
  while (!tasks.empty()) {
    const std::size_t task = tasks.back();
    tasks.pop_back();
    if (needed[task]) continue;
    needed[task] = true;
    tasks.insert(tasks.end(), waits_[task].begin(), waits_[task].end());
  }
  return needed;
}

}  // namespace tiphys::api

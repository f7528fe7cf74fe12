// The dependencies of a DAG's tasks as a graph of positions.
#pragma once

#include <cstddef>
#include <vector>

namespace tiphys::api {

class TaskGraph {
 public:
  /// `waits[i]` are the tasks that task i waits for.
  explicit TaskGraph(std::vector<std::vector<std::size_t>> waits) : waits_(std::move(waits)) {}

  /// The tasks of a cycle, its first one again at the end; empty when there is none.
  std::vector<std::size_t> find_cycle() const;
  /// True when `task` waits for `other`, directly or through others.
  bool comes_after(std::size_t task, std::size_t other) const;
  /// For each task, whether it is one of `tasks` or one that they wait for.
  std::vector<bool> needed_for(std::vector<std::size_t> tasks) const;

 private:
  enum class Color { kWhite, kGrey, kBlack };
  std::vector<std::size_t> find_cycle_from(std::size_t start, std::vector<Color>& color) const;

  std::vector<std::vector<std::size_t>> waits_;
};

}  // namespace tiphys::api

#include "play/schedule.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace tiphys::play {
namespace {

using NodesById = std::unordered_map<std::string, const api::NodeStatus*>;

/// The rows that a row follows: those nearest above it among the nodes' children.
class Predecessors {
 public:
  Predecessors(const Played& played, const std::vector<ScheduleRow>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) rows_[rows[i].node_id] = i;
    for (const api::NodeStatus& node : played.nodes) {
      for (const std::string& child : node.children) parents_[child].push_back(node.id);
    }
  }

  std::vector<std::size_t> of(const std::string& node_id) const {
    std::vector<std::size_t> found;
    std::vector<std::string> open{node_id};
    std::unordered_set<std::string> seen;
    while (!open.empty()) {
      const std::string id = std::move(open.back());
      open.pop_back();
      const auto parents = parents_.find(id);
      if (parents == parents_.end()) continue;
      for (const std::string& parent : parents->second) {
        if (!seen.insert(parent).second) continue;
        const auto row = rows_.find(parent);
        if (row == rows_.end()) {
          open.push_back(parent);
        } else {
          found.push_back(row->second);
        }
      }
    }
    return found;
  }

 private:
  std::unordered_map<std::string, std::size_t> rows_;
  std::unordered_map<std::string, std::vector<std::string>> parents_;
};

/// From the end backwards: what ended last before this one began, best one that it follows.
void mark_critical(const Played& played, Schedule& schedule) {
  if (schedule.rows.empty()) return;
  const Predecessors predecessors(played, schedule.rows);
  const auto finish = [&](std::size_t i) { return schedule.rows[i].finished; };
  std::size_t at = 0;
  for (std::size_t i = 1; i < schedule.rows.size(); ++i) {
    if (finish(i) > finish(at)) at = i;
  }
  for (;;) {
    ScheduleRow& row = schedule.rows[at];
    row.critical = true;
    schedule.critical.push_back(at);
    std::optional<std::size_t> before;
    const auto consider = [&](std::size_t i) {
      if (i == at || schedule.rows[i].critical || finish(i) > row.started) return;
      if (!before || finish(i) > finish(*before)) before = i;
    };
    for (const std::size_t i : predecessors.of(row.node_id)) consider(i);
    // It waited for room: what made it comes after all that it follows.
    for (std::size_t i = 0; i < schedule.rows.size(); ++i) {
      if (finish(i) == row.started && (!before || finish(*before) < row.started)) consider(i);
    }
    if (!before) break;
    at = *before;
  }
  std::ranges::reverse(schedule.critical);
}

void count_most(Schedule& schedule) {
  struct Step {
    int pods = 0;
    Resources requests;
  };
  std::map<Duration, Step> steps;
  for (const ScheduleRow& row : schedule.rows) {
    if (!row.is_pod || row.started == row.finished) continue;
    for (const int sign : {1, -1}) {
      Step& step = steps[sign > 0 ? row.started : row.finished];
      step.pods += sign;
      step.requests.cpus += sign * row.requests.cpus;
      step.requests.memory_bytes += sign * row.requests.memory_bytes;
    }
  }
  Step now;
  for (const auto& [time, step] : steps) {
    schedule.most_pods = std::max(schedule.most_pods, now.pods += step.pods);
    schedule.most.cpus = std::max(schedule.most.cpus, now.requests.cpus += step.requests.cpus);
    schedule.most.memory_bytes =
        std::max(schedule.most.memory_bytes, now.requests.memory_bytes += step.requests.memory_bytes);
  }
}

}  // namespace

Schedule schedule_of(const Played& played) {
  NodesById nodes;
  std::unordered_map<std::string, int> namesakes;
  for (const api::NodeStatus& node : played.nodes) nodes[node.id] = &node;
  for (const Work& work : played.work) ++namesakes[nodes.at(work.node_id)->display_name];
  Schedule schedule;
  schedule.total = played.end - played.start;
  for (const Work& work : played.work) {
    if (work.started == Time{}) continue;
    const api::NodeStatus& node = *nodes.at(work.node_id);
    ScheduleRow& row = schedule.rows.emplace_back();
    row.name = namesakes.at(node.display_name) > 1 ? node.name : node.display_name;
    row.node_id = node.id;
    row.template_name = api::template_of(node);
    row.phase = node.phase;
    row.is_pod = work.is_pod;
    row.asked = work.asked - played.start;
    row.started = work.started - played.start;
    row.finished = (work.finished == Time{} ? played.end : work.finished) - played.start;
    row.requests = work.requests;
  }
  std::ranges::stable_sort(schedule.rows, {}, &ScheduleRow::started);
  mark_critical(played, schedule);
  count_most(schedule);
  return schedule;
}

}  // namespace tiphys::play

// When what runs: the time table of a played workflow.
#pragma once

#include <string>
#include <vector>

#include "play/world.h"

namespace tiphys::play {

struct ScheduleRow {
  std::string name;  ///< display name; the full one where others have it too
  std::string node_id, template_name;
  api::NodePhase phase = api::NodePhase::kUnset;
  bool is_pod = false;
  Duration asked{}, started{}, finished{};  ///< after the workflow's start
  Resources requests;
  bool critical = false;  ///< it lies on the path that makes the whole as long as it is
};

struct Schedule {
  std::vector<ScheduleRow> rows;      ///< by start
  std::vector<std::size_t> critical;  ///< rows, in order
  Duration total{};
  int most_pods = 0;
  Resources most;  ///< requested at the same moment
};

/// What never began is left out.
Schedule schedule_of(const Played& played);

}  // namespace tiphys::play

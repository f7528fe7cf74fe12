// A schedule as a chart of text.
#pragma once

#include <string>

#include "cli/view/style.h"
#include "play/schedule.h"

namespace tiphys::cli {

/// A line for each row: name, start, end, and a bar on a scale of `columns` characters in all; those of the critical
/// path are marked, and so is how long a pod has waited for room.
std::string gantt_text(const play::Schedule& schedule, const Style& style, int columns);
/// The critical path, the whole time, the most at once.
std::string schedule_summary(const play::Schedule& schedule, const Style& style);

}  // namespace tiphys::cli

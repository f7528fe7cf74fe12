// When a finished workflow (ttlStrategy) or a pod (podGC) is deleted.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"
#include "doc/value.h"

namespace tiphys::controllers {

/// On what is to be deleted some day, or to have its artifacts deleted: these are what a start looks for. "true" on a
/// finished workflow, the time as Unix seconds on a pod.
inline constexpr std::string_view kExpiresLabel = "tiphys.io/expires";

/// How long a workflow that ended in this phase is kept; nothing: for ever. The strategy is the workflow's own, else
/// that of the template it ran; in it, the word for how the workflow ended goes before the one for any end.
std::optional<Duration> time_to_live(const doc::Value& workflow, std::string_view phase);
/// The workflow without anything that `time_to_live` does not look at.
doc::Value ttl_strategies(const doc::Value& workflow);
/// When a finished workflow is to be deleted: not in the second in which it ended, and one later, as in the original.
std::optional<Time> expiry(const doc::Value& workflow);
std::optional<Time> pod_expiry(const doc::Value& pod);

}  // namespace tiphys::controllers

#include "controllers/resources_duration.h"

#include <cmath>
#include <string_view>

#include "base/quantity.h"
#include "base/time.h"

namespace tiphys::controllers {
namespace {

using Milli = std::map<std::string, std::int64_t>;  ///< thousandths of units, by resource

constexpr double kMi = 1 << 20;
constexpr double kGi = 1 << 30;

std::int64_t milli(double value) {
  return static_cast<std::int64_t>(std::ceil(value * 1000));
}

std::int64_t milli_of_unit(std::string_view resource) {
  if (resource == "memory") return milli(100 * kMi);
  if (resource == "storage" || resource == "ephemeral-storage") return milli(10 * kGi);
  return 1000;
}

void take(const doc::Value* quantities, Milli& into) {
  if (!quantities || !quantities->is_object()) return;
  for (const auto& [name, value] : quantities->get_object()) {
    // The API refuses quantities that are none.
    if (const auto parsed = parse_quantity(doc::scalar_text(value))) into[name] = milli(*parsed);
  }
}

const doc::Array& list(const doc::Value& pod, std::string_view part, std::string_view name) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(pod, part, name);
  return found && found->is_array() ? found->get_array() : kNone;
}

std::int64_t seconds_run(const doc::Value& pod, std::string_view container) {
  for (const std::string_view statuses : {"initContainerStatuses", "containerStatuses"}) {
    for (const doc::Value& status : list(pod, "status", statuses)) {
      if (doc::find_string(status, "name") != container) continue;
      const auto from = parse_rfc3339(doc::find_string(status, "state", "terminated", "startedAt"));
      const auto to = parse_rfc3339(doc::find_string(status, "state", "terminated", "finishedAt"));
      if (from && to) return std::chrono::duration_cast<std::chrono::seconds>(*to - *from).count();
    }
  }
  return 0;
}

bool has_any(const doc::Value& container) {
  for (const std::string_view kind : {"limits", "requests"}) {
    const doc::Value* found = doc::find(container, "resources", kind);
    if (found && found->is_object() && !found->get_object().empty()) return true;
  }
  return false;
}

}  // namespace

api::ResourcesDuration resources_duration(const doc::Value& pod) {
  api::ResourcesDuration sum;
  bool of_pod_taken = false;  // what all share counts once
  for (const std::string_view containers : {"initContainers", "containers"}) {
    for (const doc::Value& container : list(pod, "spec", containers)) {
      Milli asked{{"cpu", 100}, {"memory", milli(100 * kMi)}};
      const bool own = has_any(container);
      if (!own && !of_pod_taken && doc::find(pod, "spec", "resources")) {
        take(doc::find(pod, "spec", "resources", "limits"), asked);
        take(doc::find(pod, "spec", "resources", "requests"), asked);
        of_pod_taken = true;
      }
      take(doc::find(container, "resources", "limits"), asked);
      take(doc::find(container, "resources", "requests"), asked);
      const std::int64_t seconds = seconds_run(pod, doc::find_string(container, "name"));
      for (const auto& [name, amount] : asked) sum[name] += amount * seconds / milli_of_unit(name);
    }
  }
  return sum;
}

}  // namespace tiphys::controllers

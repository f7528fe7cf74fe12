#include "controllers/retention.h"

#include <algorithm>

namespace tiphys::controllers {

std::size_t Retention::most(std::string_view phase) const {
  const std::int64_t kept = phase == "Succeeded" ? most_.completed : phase == "Failed" ? most_.failed : most_.errored;
  return static_cast<std::size_t>(std::max<std::int64_t>(kept, 0));
}

std::vector<Retention::Ended> Retention::ended(const doc::Value& workflow) {
  const std::string phase(doc::find_string(workflow, "status", "phase"));
  if (phase != "Succeeded" && phase != "Failed" && phase != "Error") return {};
  Place place{parse_rfc3339(doc::find_string(workflow, "metadata", "creationTimestamp")).value_or(Time{}),
              {&cluster::kWorkflows, std::string(doc::find_string(workflow, "metadata", "namespace")),
               std::string(doc::find_string(workflow, "metadata", "name"))},
              std::string(doc::find_string(workflow, "metadata", "uid"))};
  forget(place.key);
  places_[place.key] = {phase, place};
  std::set<Place>& kept = kept_[phase];
  kept.insert(std::move(place));
  std::vector<Ended> surplus;
  while (kept.size() > most(phase)) {
    surplus.push_back({kept.begin()->key, kept.begin()->uid});
    forget(surplus.back().key);
  }
  return surplus;
}

void Retention::forget(const cluster::Key& key) {
  const auto known = places_.find(key);
  if (known == places_.end()) return;
  kept_[known->second.first].erase(known->second.second);
  places_.erase(known);
}

}  // namespace tiphys::controllers

#include "controllers/throttle.h"

namespace tiphys::controllers {
namespace {

std::string namespace_of(const std::string& key) {
  return key.substr(0, key.find('/'));
}

}  // namespace

void Throttle::set_limit(const std::string& ns, std::optional<std::int64_t> limit) {
  if (limit) {
    limits_.insert_or_assign(ns, *limit);
  } else {
    limits_.erase(ns);
  }
}

void Throttle::begun(const std::string& key) {
  stop_waiting(key);
  if (under_way_.insert(key).second) ++count_[namespace_of(key)];
}

void Throttle::add(const std::string& key, std::int64_t priority, Time created) {
  if (under_way_.contains(key)) return;
  const auto known = places_.find(key);
  std::uint64_t order = known == places_.end() ? ++added_ : std::get<2>(known->second);
  stop_waiting(key);
  const auto place = places_.emplace(key, Place{-priority, created, order, key}).first;
  waiting_[namespace_of(key)].insert(place->second);
}

std::optional<std::string> Throttle::admit() {
  if (total_ != 0 && static_cast<std::int64_t>(under_way_.size()) >= total_) return std::nullopt;
  const Place* first = nullptr;
  for (const auto& [ns, places] : waiting_) {
    if (!full(ns) && (!first || *places.begin() < *first)) first = &*places.begin();
  }
  if (!first) return std::nullopt;
  std::string key = std::get<3>(*first);
  begun(key);
  return key;
}

void Throttle::remove(const std::string& key) {
  stop_waiting(key);
  if (under_way_.erase(key) == 0) return;
  const auto count = count_.find(namespace_of(key));
  if (--count->second == 0) count_.erase(count);
}

bool Throttle::full(const std::string& ns) const {
  const auto own = limits_.find(ns);
  const std::int64_t limit = own == limits_.end() ? per_namespace_ : own->second;
  const auto count = count_.find(ns);
  return limit != 0 && count != count_.end() && count->second >= limit;
}

void Throttle::stop_waiting(const std::string& key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return;
  const auto waiting = waiting_.find(namespace_of(key));
  waiting->second.erase(place->second);
  if (waiting->second.empty()) waiting_.erase(waiting);
  places_.erase(place);
}

}  // namespace tiphys::controllers

// How many workflows are under way at a time: the controller configuration's parallelism and namespaceParallelism, and
// what namespaces say of themselves.
// Original: workflow/sync/multi_throttler.go.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "base/time.h"

namespace tiphys::controllers {

/// Workflows by key "NAMESPACE/NAME". The cost of a call is logarithmic in those that wait; `admit` looks besides at
/// each namespace in which some do.
class Throttle {
 public:
  /// Of all and of each namespace; 0: no limit.
  Throttle(std::int64_t total, std::int64_t per_namespace) : total_(total), per_namespace_(per_namespace) {}

  /// Of this namespace, in place of the one of each; nothing: it is as any other.
  void set_limit(const std::string& ns, std::optional<std::int64_t> limit);
  /// Under way already: it counts, whatever the limits say.
  void begun(const std::string& key);
  /// It waits for its turn: higher priorities first, then older ones. Said again, it has another priority.
  void add(const std::string& key, std::int64_t priority, Time created);
  /// The next one that may begin; it counts from now on.
  std::optional<std::string> admit();
  void remove(const std::string& key);
  bool under_way(const std::string& key) const { return under_way_.contains(key); }
  bool waits(const std::string& key) const { return places_.contains(key); }

 private:
  /// What orders those that wait: less is earlier.
  using Place = std::tuple<std::int64_t, Time, std::uint64_t, std::string>;

  bool full(const std::string& ns) const;
  void stop_waiting(const std::string& key);

  std::int64_t total_, per_namespace_;
  std::unordered_map<std::string, std::int64_t> limits_;  ///< of namespaces that have their own
  std::unordered_set<std::string> under_way_;
  std::unordered_map<std::string, std::int64_t> count_;  ///< of those, by namespace
  std::map<std::string, std::set<Place>> waiting_;       ///< by namespace; none is empty
  std::unordered_map<std::string, Place> places_;
  std::uint64_t added_ = 0;
};

}  // namespace tiphys::controllers

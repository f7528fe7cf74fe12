// Locks: each is named in full, once.
#include <fmt/format.h>

#include <algorithm>

#include "api/validator.h"

namespace tiphys::api {
namespace {

/// The name of a ConfigMap and a key in it become parts of the lock's name.
constexpr char kSeparator = '/';

}  // namespace

void Validator::check_semaphore(const SemaphoreRef& semaphore, const Spot& spot) {
  if (semaphore.config_map_key && semaphore.database_key) {
    error(spot.pointer + "/database", spot.name + " has both configMapKeyRef and database: choose one", true);
  } else if (!semaphore.config_map_key && !semaphore.database_key) {
    error(spot.pointer, spot.name + " needs configMapKeyRef, or database, to say where its limit is");
  }
  if (semaphore.database_key && semaphore.database_key->empty()) {
    error(spot.pointer + "/database", spot.name + ".database.key is required", true);
  }
  if (!semaphore.config_map_key) return;
  const auto check = [&](std::string_view field, const std::string& text) {
    const std::string pointer = spot.pointer + "/configMapKeyRef";
    if (text.empty()) {
      error(pointer, fmt::format("{}.configMapKeyRef.{} is required", spot.name, field), true);
    } else if (text.find("{{") == text.npos && text.find(kSeparator) != text.npos) {
      error(fmt::format("{}/{}", pointer, field),
            fmt::format("{}.configMapKeyRef.{} \"{}\" must not contain '/'", spot.name, field, text));
    }
  };
  check("name", semaphore.config_map_key->name);
  check("key", semaphore.config_map_key->key);
}

void Validator::check_synchronization(const Synchronization& locks, const Spot& spot) {
  const auto check_unique = [&](const auto& list, std::size_t i, const Spot& at) {
    if (std::find(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i), list[i]) ==
        list.begin() + static_cast<std::ptrdiff_t>(i))
      return;
    error(at.pointer, at.name + ": duplicate synchronization item found");
  };
  for (std::size_t i = 0; i < locks.semaphores.size(); ++i) {
    const Spot at{fmt::format("{}/semaphores/{}", spot.pointer, i), fmt::format("{}.semaphores[{}]", spot.name, i)};
    check_semaphore(locks.semaphores[i], at);
    check_unique(locks.semaphores, i, at);
  }
  for (std::size_t i = 0; i < locks.mutexes.size(); ++i) {
    const Mutex& mutex = locks.mutexes[i];
    const Spot at{fmt::format("{}/mutexes/{}", spot.pointer, i), fmt::format("{}.mutexes[{}]", spot.name, i)};
    if (mutex.name.empty()) error(at.pointer, at.name + ".name is required");
    check_unique(locks.mutexes, i, at);
    const auto& outer = workflow_.spec.synchronization;
    if (!outer || &locks == &*outer || mutex.name.find("{{") != std::string::npos) continue;
    if (std::ranges::find(outer->mutexes, mutex) != outer->mutexes.end()) {
      warn(at.pointer, fmt::format("{}: the workflow itself holds mutex \"{}\" until its end, so this template would "
                                   "wait for it for ever",
                                   at.name, mutex.name));
    }
  }
}

}  // namespace tiphys::api
